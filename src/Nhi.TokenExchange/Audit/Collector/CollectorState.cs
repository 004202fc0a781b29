namespace Nhi.TokenExchange;

/// <summary>How the collector took what it was sent last. The log is told when it begins to fail, once a minute while it does, and when it takes events again.</summary>
/// <param name="plan">The session's.</param>
/// <param name="host">The collector's.</param>
internal sealed class CollectorState(SessionPlan plan, string host)
{
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    private bool _hasFailed;
    private long? _saidAt;

    /// <summary>Why it did not take the last batch; null: it did, or was sent none.</summary>
    public string? Failing { get; private set; }

    /// <summary>It did not take a batch, which is sent again.</summary>
    public void Failed(string why)
    {
        (Failing, _hasFailed) = (why, true);
        if (_saidAt is { } saidAt && plan.Time.GetElapsedTime(saidAt) < SaidAgainAfter)
            return;
        _saidAt = plan.Time.GetTimestamp();
        plan.Log.SayLater(log => log.AuditCollectorFails(plan.Job, host, why, ErrorCodes.AuditCollectorFails));
    }

    /// <summary>It refused an event. The log is told of the file that it is set aside in.</summary>
    public void Refused(string why) => Failing = $"{why} to the last event that it was sent; that one was set aside";

    /// <summary>It took a batch.</summary>
    public void Taken()
    {
        Failing = null;
        if (!_hasFailed)
            return;
        (_hasFailed, _saidAt) = (false, null);
        plan.Log.SayLater(log => log.AuditCollectorIsBack(plan.Job, host));
    }
}
