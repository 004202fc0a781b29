using System.Diagnostics;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>What the parts of a hit cost: a volatile read is free, the clock is the price.</summary>
public class ClockReads
{
    private readonly TimeProvider _time = TimeProvider.System;
    private volatile object _value = new();

    [Benchmark(Description = "a volatile read")]
    public object VolatileRead() => _value;

    [Benchmark(Baseline = true, Description = "the coarse tick: Environment.TickCount64")]
    public long TickCount64() => Environment.TickCount64;

    [Benchmark(Description = "Stopwatch.GetTimestamp")]
    public long StopwatchTimestamp() => Stopwatch.GetTimestamp();

    [Benchmark(Description = "TimeProvider.GetTimestamp")]
    public long TimeProviderTimestamp() => _time.GetTimestamp();

    [Benchmark(Description = "TimeProvider.GetUtcNow")]
    public DateTimeOffset TimeProviderUtcNow() => _time.GetUtcNow();

    [Benchmark(Description = "DateTimeOffset.UtcNow")]
    public DateTimeOffset UtcNow() => DateTimeOffset.UtcNow;
}
