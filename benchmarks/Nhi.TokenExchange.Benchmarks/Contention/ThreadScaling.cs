using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>Hits a second with one and with two threads. What writes nothing on a hit doubles; what writes a shared line doesn't.</summary>
public static class ThreadScaling
{
    private const int Rounds = 25;
    private const int Burst = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(60);

    /// <summary>Runs all paths in turns, so that a neighbour's noise meets each alike, and keeps the best round of each.</summary>
    public static async Task<IReadOnlyList<ThreadScalingResult>> RunAsync()
    {
        var gate = new IssuerGate();
        await using JobSession session = await BenchmarkJob.StartAsync(gate, ["warehouse"]);
        CredentialProvider<BearerToken> provider = session.Provider<BearerToken>("warehouse");
        await gate.DemandTrueHitAsync(async () => await provider.GetAsync());
        using var memory = new MemoryPath();
        (string Name, Func<int, double> Measure)[] paths =
        [
            ("floor", threads => Measure(new FloorPath(), threads)),
            ("ours", threads => Measure(new OurPath(provider), threads)),
            ("IMemoryCache", threads => Measure(memory, threads)),
        ];
        var best = new Dictionary<(string, int), double>();
        for (int round = -5; round < Rounds; round++)
        {
            foreach ((string name, Func<int, double> measure) in paths)
            {
                foreach (int threads in (int[])[1, 2])
                {
                    double rate = measure(threads);
                    if (round >= 0)
                        best[(name, threads)] = Math.Max(rate, best.GetValueOrDefault((name, threads)));
                }
            }
        }
        return [.. paths.Select(path => new ThreadScalingResult(path.Name, best[(path.Name, 1)], best[(path.Name, 2)]))];
    }

    private static double Measure<TPath>(TPath path, int threads)
        where TPath : IHitPath
    {
        long total = 0;
        using var barrier = new Barrier(threads);
        Thread[] workers = [.. Enumerable.Range(0, threads).Select(_ => new Thread(() =>
        {
            barrier.SignalAndWait();
            long end = Stopwatch.GetTimestamp() + (long)(Window.TotalSeconds * Stopwatch.Frequency);
            long hits = 0;
            while (Stopwatch.GetTimestamp() < end)
            {
                RunBurst(path);
                hits += Burst;
            }
            Interlocked.Add(ref total, hits);
        }))];
        foreach (Thread worker in workers)
            worker.Start();
        foreach (Thread worker in workers)
            worker.Join();
        return total / Window.TotalSeconds;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunBurst<TPath>(TPath path)
        where TPath : IHitPath
    {
        for (int i = 0; i < Burst; i++)
        {
            if (path.Hit() is null)
                throw new InvalidOperationException("Not a hit.");
        }
    }
}
