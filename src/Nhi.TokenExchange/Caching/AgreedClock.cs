using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>A clock with two hands that must agree: monotonic ticks (a clock set back can't lengthen a life) and wall seconds (a suspend can't either).</summary>
/// <remarks>
/// A hit reads the coarse tick only. One 64-bit word remembers in which tick the wall was last asked, and what it said:
/// <c>tick (36 bits) | wall seconds since a year before the start, rounded up (28 bits)</c>. One word can't tear. Who finds another tick asks the
/// wall and writes the word; who overwrites a newer word with an older one only causes one more question.
/// Seconds are rounded up and ends down, so a credential dies up to two seconds early, never late. The year before the start lets a
/// wall that is set back go on: what is issued then ends before the start, and is good. After 7.5 years the word is full, and everything counts as dead.
/// Hole: on Linux the tick stands still during a suspend, so in the very tick of the suspend (1 to 4 ms of running time) the
/// old answer is trusted; likewise the word of a writer that was preempted between asking and writing, for the rest of its own
/// tick. No check on a hit can do better than a thread that is preempted after it.
/// </remarks>
internal sealed class AgreedClock
{
    private const int WallBits = 28;
    private const long WallMask = (1L << WallBits) - 1;
    private const long TickMask = (1L << 36) - 1;

    private static readonly TimeSpan BeforeStart = TimeSpan.FromDays(365);

    private readonly TimeProvider? _injected;
    private readonly TimeProvider _provider;
    private readonly DateTimeOffset _origin;
    private readonly long _startTimestamp;
    private long _agreed;

    public AgreedClock(TimeProvider provider)
    {
        _provider = provider;
        _injected = ReferenceEquals(provider, TimeProvider.System) ? null : provider;
        DateTimeOffset start = provider.GetUtcNow();
        _origin = start - DateTimeOffset.MinValue > BeforeStart ? start - BeforeStart : DateTimeOffset.MinValue;
        _startTimestamp = provider.GetTimestamp();
        Agree(Tick);
    }

    /// <summary>Milliseconds of the monotonic hand; the system's coarse one is five times cheaper than a precise one.</summary>
    public long Tick => _injected is null ? Environment.TickCount64 : InjectedTick();

    /// <summary>The wall hand.</summary>
    public DateTimeOffset Now => _provider.GetUtcNow();

    public TimeProvider Provider => _provider;

    /// <summary>The monotonic hand, as the time since the start.</summary>
    public TimeSpan Elapsed => _provider.GetElapsedTime(_startTimestamp);

    /// <summary>Whether both hands are before their end. The whole cost of a hit beside one load.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsBefore(long tickEnd, uint wallEnd)
    {
        long tick = Tick;
        long agreed = Volatile.Read(ref _agreed);
        // Shifted left, the 36 bits of the tick stand where they stand in the word: one shift and one comparison.
        if ((ulong)(agreed ^ (tick << WallBits)) > WallMask)
            agreed = Agree(tick);
        return tick < tickEnd && (uint)(agreed & WallMask) < wallEnd;
    }

    /// <summary>The tick at which a time from now is over.</summary>
    public long TickAfter(TimeSpan time) => Tick + (long)Math.Clamp(time.TotalMilliseconds, -1e12, 1e12);

    /// <summary>The second of the wall hand at which an instant has come, rounded down.</summary>
    public uint WallSecondOf(DateTimeOffset instant) =>
        (uint)Math.Clamp((instant - _origin).Ticks / TimeSpan.TicksPerSecond, 0, WallMask);

    /// <summary>The instant of a second of the wall hand.</summary>
    public DateTimeOffset InstantOf(uint wallSecond) => _origin.AddTicks(wallSecond * TimeSpan.TicksPerSecond);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long Agree(long tick)
    {
        long elapsed = (_provider.GetUtcNow() - _origin).Ticks;
        long seconds = Math.Clamp((elapsed + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond, 0, WallMask);
        long word = ((tick & TickMask) << WallBits) | seconds;
        Volatile.Write(ref _agreed, word);
        return word;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long InjectedTick() => _provider.GetElapsedTime(_startTimestamp).Ticks / TimeSpan.TicksPerMillisecond;
}
