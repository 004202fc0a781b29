using Nhi.TokenExchange.Tests.Faults;

namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>A reader of ours that takes what others write, whole with what stands around it: any bytes come to what is promised, or an exception leaves <see cref="RunAsync"/>.</summary>
/// <remarks>Driven by a fuzzer (tests/long/Nhi.TokenExchange.Fuzz) and, for the corpus that it left, by each test run.</remarks>
public sealed class FuzzTarget
{
    // Ours or not: what takes so long has no end, and no input of a fuzzer is so large.
    private static readonly TimeSpan NoEnd = TimeSpan.FromMinutes(3);
    private const long MostBytes = 64L * 1024 * 1024;

    private readonly Func<FuzzInput, Task<string>> _run;

    private FuzzTarget(string name, Func<FuzzInput, Task<string>> run)
    {
        Name = name;
        _run = run;
    }

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("proof", ProofFuzzing.RunAsync), new("answer", AnswerFuzzing.RunAsync), new("metadata", MetadataFuzzing.RunAsync), new("retry-after", RetryAfterFuzzing.RunAsync), new("settings", SettingsFuzzing.RunAsync),
    ];

    public string Name { get; }

    /// <summary>Runs one input to its end: bounded in time and memory, nothing but our documented exceptions, no secret said.</summary>
    /// <returns>All that was said: errors, logs, audit, report.</returns>
    public async Task<string> RunAsync(byte[] input)
    {
        long before = GC.GetTotalAllocatedBytes();
        string said = await Task.Run(() => _run(new FuzzInput(input))).WaitAsync(NoEnd, TimeProvider.System);
        Assert.That(GC.GetTotalAllocatedBytes() - before, Is.LessThan(MostBytes), "bytes allocated");
        return said;
    }

    public override string ToString() => Name;
}
