using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>Holds one credential and at most one flight that replaces it. Lock-free: a hit is one acquire load and one clock compare, a transition one compare-exchange of an immutable state.</summary>
/// <remarks>
/// Why it holds, race by race:
/// 1. One flight: a state with a flight replaces only a state without one, by compare-exchange; only the winner starts it.
///    A doomed flight keeps its place until it lands.
/// 2. Late publish: the flight registers its lease first, then lands by an exchange that fails against Ended and Doomed. It reads
///    that it failed and ends its own credential; the job's end that came later finds the lease in the set. No third case.
/// 3. Ended once: who takes the lease out of the <see cref="LeaseSet"/> ends it; landing and job end may both try, one wins.
/// 4. Reject by identity: references are compared in the state that is exchanged. A newer current: nothing happens. A flight in
///    the air stays the only one.
/// 5. ABA: a state is a value; finding the same object again means that nothing this transition depends on differs. A credential
///    is published at most once, and who rejects it holds it, so its address can't come back.
/// 6. Waiters trust nothing they waited for: when woken they look at the slot again, at both clocks too.
/// 7. Policy: current is emptied and the flight doomed in one exchange; who asks after that gets only what was decided after it.
/// 8. Published before removed: landing puts the credential in and takes the flight out in one exchange.
/// 9. A caller that gives up stops waiting for the flight's task and touches nothing else; failures are results, not exceptions,
///    so none goes unobserved.
/// 10. Re-entry: a flight is known to its own flow; who would wait for the flight he runs in gets an error instead.
/// Order: a state and its credential's lease are written before the compare-exchange (a full fence) that publishes them; the acquire
/// load that sees the state sees all of it. Nothing here is ever locked, so nobody waits while anybody holds anything.
/// </remarks>
internal sealed class ExpiringSlot<T>
    where T : Credential
{
    private readonly ISlotOwner<T> _owner;
    private readonly AgreedClock _clock;
    private SlotState<T> _state = SlotState<T>.Empty;

    public ExpiringSlot(ISlotOwner<T> owner)
    {
        _owner = owner;
        _clock = owner.Clock;
    }

    public SlotState<T> State => Volatile.Read(ref _state);

    public bool TryGet([NotNullWhen(true)] out T? credential)
    {
        SlotState<T> state = Volatile.Read(ref _state);
        credential = state.Current!;
        return _clock.IsBefore(state.HitUntil, state.WallEnd);
    }

    /// <summary>The way of a miss, and of the one hit that finds the refresh due.</summary>
    public async ValueTask<T> GetAsync(CredentialRequest? request, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SlotState<T> state = Volatile.Read(ref _state);
            if (state.Mark == SlotMark.Ended)
                throw _owner.JobEnded();
            T? alive = AliveIn(state);
            Flight? flight = state.Flight;
            if (flight is null)
            {
                if (alive is not null && _clock.Tick < state.HitUntil)
                    return alive;
                if (state.Failure is { } remembered && _clock.Tick < remembered.NotBeforeTick)
                    return alive ?? throw remembered.ToException(_clock);
                flight = new Flight(_owner.NextFlightNumber(), isRefresh: alive is not null);
                if (!TryMove(state, state.Depart(flight)))
                    continue;
                _owner.Start(this, flight, request);
            }
            if (alive is not null)
                return alive;
            if (flight.ContainsThisFlow())
                throw _owner.Reentered();
            FlightFailure? failure = await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (failure is not null)
                return AliveIn(Volatile.Read(ref _state)) ?? throw failure.ToException(_clock);
        }
    }

    /// <summary>Ends a flight with a registered credential.</summary>
    /// <returns>False: the slot did not take it; the caller ends the lease.</returns>
    public bool TryLand(Flight flight, T credential, long refreshTick)
    {
        while (true)
        {
            SlotState<T> state = Volatile.Read(ref _state);
            bool mine = ReferenceEquals(state.Flight, flight);
            bool taken = mine && state.Mark == SlotMark.None;
            if (mine && !TryMove(state, taken ? SlotState<T>.Land(credential, refreshTick) : SlotState<T>.LandDoomed()))
                continue;
            flight.Complete(null);
            return taken;
        }
    }

    /// <summary>Ends a flight that brought nothing. Its failure is remembered for seconds, a denial until the policy changes.</summary>
    public void Fail(Flight flight, TokenExchangeException cause)
    {
        double jitter = _owner.Jitter();
        while (true)
        {
            SlotState<T> state = Volatile.Read(ref _state);
            bool mine = ReferenceEquals(state.Flight, flight);
            bool counts = mine && state.Mark == SlotMark.None;
            FlightFailure failure = FlightFailure.Of(cause, state.Failure, _clock, jitter);
            if (mine && !TryMove(state, counts ? state.Fail(failure) : SlotState<T>.LandDoomed()))
                continue;
            flight.Complete(counts ? failure : null);
            return;
        }
    }

    /// <summary>The target refused this credential.</summary>
    /// <returns>Whether it was the current one.</returns>
    public bool Reject(T credential)
    {
        while (true)
        {
            SlotState<T> state = Volatile.Read(ref _state);
            if (!ReferenceEquals(state.Current, credential))
                return false;
            if (TryMove(state, state.WithoutCurrent()))
                return true;
        }
    }

    /// <summary>The policy changed.</summary>
    /// <returns>The credential that was current.</returns>
    public T? Invalidate()
    {
        while (true)
        {
            SlotState<T> state = Volatile.Read(ref _state);
            if (state.Mark == SlotMark.Ended || TryMove(state, state.Invalidate()))
                return state.Current;
        }
    }

    /// <summary>The job ended. A flight in the air finds that out when it lands; its waiters are woken now.</summary>
    public void End()
    {
        SlotState<T> last = Interlocked.Exchange(ref _state, SlotState<T>.Ended);
        last.Flight?.Complete(null);
    }

    private T? AliveIn(SlotState<T> state) =>
        state.Current is { } current && _clock.IsBefore(current.Lease.DeadTick, current.Lease.WallEnd) ? current : null;

    private bool TryMove(SlotState<T> from, SlotState<T> to) => ReferenceEquals(Interlocked.CompareExchange(ref _state, to, from), from);
}
