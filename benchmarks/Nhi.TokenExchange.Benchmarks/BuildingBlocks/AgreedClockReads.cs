using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>The clock with two hands: on the system's time it costs a coarse tick, on an injected one what that one costs.</summary>
public class AgreedClockReads
{
    private readonly AgreedClock _system = new(TimeProvider.System);
    private readonly AgreedClock _injected = new(new ShiftedTime());
    private long _systemEnd;
    private long _injectedEnd;
    private uint _wallEnd;

    [GlobalSetup]
    public void SetUp()
    {
        _systemEnd = _system.TickAfter(TimeSpan.FromHours(1));
        _injectedEnd = _injected.TickAfter(TimeSpan.FromHours(1));
        _wallEnd = _system.WallSecondOf(_system.Now.AddHours(1));
    }

    [Benchmark(Description = "our clock of two hands, on the system's time")]
    public bool IsBeforeOnSystemTime() => _system.IsBefore(_systemEnd, _wallEnd);

    [Benchmark(Description = "our clock of two hands, on an injected one")]
    public bool IsBeforeOnInjectedTime() => _injected.IsBefore(_injectedEnd, _wallEnd);
}
