using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>A reader of ours that takes what others write, whole with what stands around it: any bytes come to what is promised, or an exception leaves <see cref="RunAsync"/>.</summary>
/// <remarks>Driven by a fuzzer (tests/long/Nhi.TokenExchange.Fuzz) and, for the corpus that it left, by each test run.</remarks>
public sealed class FuzzTarget
{
    // By the wall clock, and no measure of speed, however slow the machine: what waits for so long waits for nothing.
    private static readonly TimeSpan NoEnd = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    // In time of the processor: a job and what it compiles, and for each byte of input many times what a reader takes that reads it once.
    private static readonly TimeSpan MostAnyway = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MostForAByte = TimeSpan.FromMicroseconds(4);
    private const long MostBytes = 64L * 1024 * 1024;

    private readonly Func<FuzzInput, Task<string>> _run;

    internal FuzzTarget(string name, Func<FuzzInput, Task<string>> run)
    {
        Name = name;
        _run = run;
    }

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("proof", ProofFuzzing.RunAsync), new("answer", AnswerFuzzing.RunAsync), new("aws", AwsFuzzing.RunAsync), new("google", GoogleFuzzing.RunAsync), new("vault", VaultFuzzing.RunAsync), new("static-key", StaticKeyFuzzing.RunAsync),
        new("metadata", MetadataFuzzing.RunAsync), new("retry-after", RetryAfterFuzzing.RunAsync), new("settings", SettingsFuzzing.RunAsync),
    ];

    public string Name { get; }

    /// <summary>Runs one input to its end: in time that grows with its length and no faster, in bounded memory, nothing but our documented exceptions, no secret said.</summary>
    /// <returns>All that was said: errors, logs, audit, report.</returns>
    public async Task<string> RunAsync(byte[] input)
    {
        long before = GC.GetTotalAllocatedBytes();
        TimeSpan most = MostAnyway + (input.Length * MostForAByte);
        (string said, TimeSpan took) = await TimedAsync(input, most);
        Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(MostBytes), "bytes allocated");
        // What is compiled is compiled once, and a collection may be somebody else's: what takes too long must do so twice.
        if (took > most)
            (said, took) = await TimedAsync(input, most);
        Assert.That(took, Is.LessThanOrEqualTo(most), $"time of the processor for {input.Length} bytes");
        return said;
    }

    // A job's work goes from thread to thread of the pool, so it is the process's time that counts. Nothing runs beside it: neither tests of this project nor a fuzzer's inputs run side by side.
    private async Task<(string Said, TimeSpan Took)> TimedAsync(byte[] input, TimeSpan most)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        long began = TimeProvider.System.GetTimestamp();
        Task<string> running = Task.Run(() => _run(new FuzzInput(input)));
        while (await Task.WhenAny(running, Task.Delay(Look, TimeProvider.System)) != running)
        {
            Assert.That(Took(), Is.LessThan(most * 2), $"time of the processor for {input.Length} bytes, which are not done yet");
            Assert.That(TimeProvider.System.GetElapsedTime(began), Is.LessThan(NoEnd), "time in which nothing came");
        }
        return (await running, Took());

        TimeSpan Took() => Environment.CpuUsage.TotalTime - before;
    }

    public override string ToString() => Name;
}
