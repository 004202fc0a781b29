using System.Diagnostics;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>What the parts of a hit cost: a volatile read is free, the clock is the price.</summary>
public class ClockReads
{
    private readonly TimeProvider _time = TimeProvider.System;
    private volatile object _value = new();

    [Benchmark]
    public object VolatileRead() => _value;

    [Benchmark(Baseline = true)]
    public long TickCount64() => Environment.TickCount64;

    [Benchmark]
    public long StopwatchTimestamp() => Stopwatch.GetTimestamp();

    [Benchmark]
    public long TimeProviderTimestamp() => _time.GetTimestamp();

    [Benchmark]
    public DateTimeOffset TimeProviderUtcNow() => _time.GetUtcNow();

    [Benchmark]
    public DateTimeOffset UtcNow() => DateTimeOffset.UtcNow;
}
