namespace Nhi.TokenExchange;

/// <summary>Ends a job that runs for longer than it may.</summary>
/// <remarks>
/// By whichever hand of the clock says so first: during a suspend the monotonic one may stand still, and with it the timer; so the wall is looked at once a minute. A wall clock that is set ahead ends the job early,
/// as it ends credentials early.
/// </remarks>
internal sealed class LongestDuration : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly JobSession _session;
    private readonly TimeSpan _limit;
    private readonly long _start;
    private readonly DateTimeOffset _startedAt;
    private readonly ITimer _timer;

    public LongestDuration(JobSession session, TimeSpan limit)
    {
        _session = session;
        _limit = limit;
        _start = session.Plan.Time.GetTimestamp();
        _startedAt = session.Plan.Time.GetUtcNow();
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = session.Plan.Time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Watch();
    }

    public void Dispose() => _timer.Dispose();

    private void Watch()
    {
        TimeProvider time = _session.Plan.Time;
        TimeSpan byWall = time.GetUtcNow() - _startedAt, byTicks = time.GetElapsedTime(_start);
        TimeSpan left = _limit - (byWall > byTicks ? byWall : byTicks);
        if (left <= TimeSpan.Zero)
            _ = _session.RevokeAsync(EndCause.TooLong(_limit));
        else
            _timer.Change(left < LongestWait ? left : LongestWait, Timeout.InfiniteTimeSpan);
    }
}
