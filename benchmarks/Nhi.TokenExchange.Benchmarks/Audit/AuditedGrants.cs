using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Whole exchanges in one process, each with five events: attested, permitted, exchanging, issued, and that the one before has died.</summary>
public static class AuditedGrants
{
    /// <summary>What the process of its own is called with; it writes its results to the standard output.</summary>
    public const string Command = "--audited-grants";

    public const string None = "a sink that keeps nothing";
    public const string ToLog = "the log, formatted and thrown away";
    public const string Chained = "files, chained and flushed";
    public const string BareFlush = "bare write and flush of 1 kB";

    private const int Rounds = 3;
    private static readonly TimeSpan RoundTime = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(1);

    /// <summary>Measures in a process that may use so many cores.</summary>
    public static async Task<IReadOnlyList<AuditedGrantsResult>> MeasureAsync(int cores)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [.. Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? new[] { typeof(AuditedGrants).Assembly.Location } : [], Command]) { RedirectStandardOutput = true };
        start.Environment["DOTNET_PROCESSOR_COUNT"] = cores.ToString(CultureInfo.InvariantCulture);
        using Process child = Process.Start(start)!;
        if (cores == 1 && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()))
            child.ProcessorAffinity = 1;
        string said = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        string results = said.Split('\n').LastOrDefault(line => line.StartsWith('[')) ?? throw new InvalidOperationException($"The process of the measurement ended with {child.ExitCode}: {said}");
        return JsonSerializer.Deserialize<AuditedGrantsResult[]>(results)!;
    }

    /// <summary>Measures in this process, in turns; of each row the round with the most exchanges counts, for a neighbour only takes away.</summary>
    public static async Task RunAsync()
    {
        var best = new Dictionary<(string, int), AuditedGrantsResult>();
        for (int round = 0; round <= Rounds; round++)
        {
            foreach (string sink in new[] { None, ToLog, Chained })
            {
                foreach (int atOnce in new[] { 1, 64 })
                {
                    AuditedGrantsResult result = await RoundAsync(sink, atOnce);
                    if (round > 0 && (!best.TryGetValue((sink, atOnce), out AuditedGrantsResult? before) || result.PerSecond > before.PerSecond))   // the first warms up
                        best[(sink, atOnce)] = result;
                }
            }
            AuditedGrantsResult bare = Flushes();
            if (!best.TryGetValue((BareFlush, 1), out AuditedGrantsResult? slower) || bare.PerSecond > slower.PerSecond)
                best[(BareFlush, 1)] = bare;
        }
        Console.WriteLine(JsonSerializer.Serialize(best.Values));
    }

    private static async Task<AuditedGrantsResult> RoundAsync(string sink, int atOnce)
    {
        string folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        var disk = new CountingDisk();
        var time = new ShiftedTime();
        using var log = new DiscardingLog();
        string[] targets = [.. Enumerable.Range(0, atOnce).Select(i => string.Create(CultureInfo.InvariantCulture, $"t{i}"))];
        try
        {
            JobSession session = await JobSession.StartAsync(builder =>
            {
                builder.EndOnSignals(false).Time(time).Job(new JobContext { Pipeline = "orders-nightly", Run = "4711", Dataset = "orders", Purpose = "load" }).Identity("job", Proofs.KeptHalfItsLife(), ActsFor.Workload);
                foreach (string target in targets)
                    builder.Target(target, new InMemoryExchanger(new IssuerGate()) { Life = Life }, identity: "job", "read");
                if (sink == None)
                    builder.Audit(new MemorySink());
                else if (sink == ToLog)
                    builder.Logging(log);
                else
                    builder.AuditFolder(Path.Combine(folder, "audit")).AuditDisk(disk);
            });
            await using (session)
            {
                CredentialProvider<BearerToken>[] providers = [.. targets.Select(session.Provider<BearerToken>)];
                var waited = new List<double>();
                int before = disk.Flushes;
                long begun = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(begun) < RoundTime)
                {
                    time.Advance(2 * Life);
                    waited.AddRange(await Task.WhenAll(providers.Select(provider => Task.Run(() => GetAsync(provider)))));
                }
                TimeSpan took = Stopwatch.GetElapsedTime(begun);
                waited.Sort();
                return new AuditedGrantsResult(sink, Environment.ProcessorCount, atOnce, waited.Count, waited.Count / took.TotalSeconds, waited[waited.Count / 2], waited[(int)(waited.Count * 0.99)], (disk.Flushes - before) / (double)waited.Count);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> GetAsync(CredentialProvider<BearerToken> provider)
    {
        long begun = Stopwatch.GetTimestamp();
        await provider.GetAsync();
        return Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
    }

    // What the disk itself gives, one after the other.
    private static AuditedGrantsResult Flushes()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-audit-").FullName;
        try
        {
            var waited = new List<double>();
            byte[] line = Encoding.ASCII.GetBytes(new string('x', 1024));
            using SafeFileHandle file = File.OpenHandle(Path.Combine(folder, "bare"), FileMode.CreateNew, FileAccess.Write);
            long begun = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(begun) < RoundTime)
            {
                long one = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, line, waited.Count * (long)line.Length);
                RandomAccess.FlushToDisk(file);
                waited.Add(Stopwatch.GetElapsedTime(one).TotalMicroseconds);
            }
            TimeSpan took = Stopwatch.GetElapsedTime(begun);
            waited.Sort();
            return new AuditedGrantsResult(BareFlush, Environment.ProcessorCount, 1, waited.Count, waited.Count / took.TotalSeconds, waited[waited.Count / 2], waited[(int)(waited.Count * 0.99)], 1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed class CountingDisk : Disk
    {
        private int _flushes;

        public int Flushes => Volatile.Read(ref _flushes);

        public override void Flush(SafeFileHandle file)
        {
            base.Flush(file);
            Interlocked.Increment(ref _flushes);
        }
    }

    // What a provider does at least: it makes the text.
    private sealed class DiscardingLog : ILoggerFactory, ILogger
    {
        private int _characters;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Interlocked.Add(ref _characters, formatter(state, exception).Length);

        public void Dispose()
        {
        }
    }
}
