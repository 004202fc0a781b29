namespace Nhi.TokenExchange.Soak;

/// <summary>The clock of the process under test: that of the run, but for the plan's jumps. An issuer's clock does not jump with it.</summary>
internal sealed class JumpingTime(SoakTime time, ChaosPlan plan) : TimeProvider
{
    private readonly Chaos[] _jumps = [.. plan.Windows.Where(window => window.Fault.Jump != TimeSpan.Zero)];
    private readonly Chaos[] _suspends = [.. plan.Windows.Where(window => window.Fault == ChaosFault.Suspend).Select(Asleep)];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>The part of a suspend in which the clock stands still: the process is stopped some time before, and goes on some time after.</summary>
    public static Chaos Asleep(Chaos suspend)
    {
        TimeSpan some = (suspend.End - suspend.At) / 10;
        return suspend with { At = suspend.At + some, End = suspend.End - some };
    }

    public override DateTimeOffset GetUtcNow()
    {
        TimeSpan now = time.Elapsed;
        DateTimeOffset wall = time.Wall + now;
        foreach (Chaos jump in _jumps)
        {
            if (now >= jump.At && now < jump.End)
                wall += jump.Fault.Jump;
        }

        return wall;
    }

    // As on a machine that sleeps: the wall hand goes on, the monotonic one stands still and stays behind.
    public override long GetTimestamp()
    {
        TimeSpan now = time.Elapsed;
        TimeSpan stood = TimeSpan.Zero;
        foreach (Chaos suspend in _suspends)
        {
            if (now > suspend.At)
                stood += (now < suspend.End ? now : suspend.End) - suspend.At;
        }

        return (now - stood).Ticks;
    }
}
