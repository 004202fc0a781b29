using System.Diagnostics;

namespace Nhi.TokenExchange.Soak;

/// <summary>The one clock of a run, the same in both processes: the machine's monotonic one, with a wall hand that nobody sets meanwhile.</summary>
/// <param name="wall">What the wall hand said at the run's start.</param>
/// <param name="timestamp">What the monotonic one said then.</param>
internal sealed class SoakTime(DateTimeOffset wall, long timestamp) : TimeProvider
{
    public DateTimeOffset Wall => wall;

    public long Timestamp => timestamp;

    /// <summary>Since the run's start.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(timestamp);

    public static SoakTime StartNow() => new(System.GetUtcNow(), Stopwatch.GetTimestamp());

    public TimeSpan Of(DateTimeOffset instant) => instant - wall;

    public override DateTimeOffset GetUtcNow() => wall + Elapsed;

    /// <summary>Waits until that time since the run's start; not at all if it is over.</summary>
    public async Task UntilAsync(TimeSpan at, CancellationToken cancellationToken = default)
    {
        if (at - Elapsed is { Ticks: > 0 } left)
            await Task.Delay(left, System, cancellationToken);
    }
}
