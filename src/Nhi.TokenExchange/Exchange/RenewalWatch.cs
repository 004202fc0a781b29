namespace Nhi.TokenExchange;

/// <summary>Has the life of what is held lengthened when that is due, though nobody asks: what runs long with a credential calls nothing meanwhile.</summary>
/// <remarks>
/// A watch is for one state of a slot, and so for one credential: whatever changes the state (a flight, a rejection, a revocation, the policy, the job's end) ends it, and each flight that ends with a credential in the slot begins the
/// next. After a failure it waits as a caller would have to. Once the issuer gives no more there is none.
/// </remarks>
internal sealed class RenewalWatch<T>
    where T : Credential
{
    // What lives for a moment only is not renewed more often.
    private static readonly TimeSpan Soonest = TimeSpan.FromSeconds(1);

    private readonly JobSession _session;
    private readonly ExpiringSlot<T> _slot;
    private readonly SlotState<T> _seen;
    private readonly CredentialRequest? _request;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _end;

    private RenewalWatch(JobSession session, ExpiringSlot<T> slot, SlotState<T> seen, CredentialRequest? request)
    {
        _session = session;
        _slot = slot;
        _seen = seen;
        _request = request;
        // It belongs to no flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = session.Plan.Time.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _end = session.Over.UnsafeRegister(static watch => ((RenewalWatch<T>)watch!)._timer.Dispose(), this);
        Wait();
    }

    /// <summary>Watches the slot as it is now, if it holds something that may be renewed.</summary>
    /// <param name="session">The job.</param>
    /// <param name="slot">The slot, whose flight has ended.</param>
    /// <param name="request">What the slot is for.</param>
    public static void Begin(JobSession session, ExpiringSlot<T> slot, CredentialRequest? request)
    {
        SlotState<T> seen = slot.State;
        if (seen is { Flight: null, IsAtItsMaximum: false } && seen.AliveAt(session.Clock) is not null)
            _ = new RenewalWatch<T>(session, slot, seen, request);   // the job holds it until it has looked
    }

    private void Wait()
    {
        // What is due at once has the least of all ticks, from which nothing can be taken.
        long now = _session.Clock.Tick;
        var left = TimeSpan.FromMilliseconds(_seen.HitUntil > now ? _seen.HitUntil - now : 0);
        _timer.Change(left > Soonest ? left : Soonest, Timeout.InfiniteTimeSpan);
    }

    private void Look()
    {
        if (ReferenceEquals(_slot.State, _seen) && _session.Clock.Tick < _seen.HitUntil)
        {
            Wait();   // a timer may fire a little before the tick
            return;
        }
        _end.Unregister();
        _timer.Dispose();
        _slot.Renew(_seen, _request);
    }
}
