using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>Holds one credential and at most one flight that replaces it. Lock-free: a hit is one acquire load and one clock compare, a transition one compare-exchange of an immutable state.</summary>
/// <remarks>
/// Why it holds, race by race:
/// 1. One flight: a state with a flight replaces only a state without one, by compare-exchange; only the winner starts it. A doomed flight keeps its place until it lands.
/// 2. Late publish: the flight registers its lease first, then lands by an exchange that fails against Ended and Doomed. It reads that it failed and ends its own credential; the job's end that came later finds the lease in the set. No third case.
/// 3. Ended once: who takes the lease out of the <see cref="LeaseSet"/> ends it; landing and job end may both try, one wins.
/// 4. Reject by identity: references are compared in the state that is exchanged. A newer current: nothing happens. A flight in the air stays the only one.
/// 5. ABA: a state is a value; finding the same object again means that nothing this transition depends on differs. A credential is published at most once, and who rejects it holds it, so its address can't come back.
/// 6. Waiters trust nothing they waited for: when woken they look at the slot again, at both clocks too.
/// 7. Policy: current is emptied and the flight doomed in one exchange; who asks after that gets only what was decided after it. So it is with one that is withdrawn, if the flight took off to replace it: no renewal of it lands after that.
/// 8. Published before removed: landing puts the credential in and takes the flight out in one exchange.
/// 9. A caller that gives up stops waiting and touches nothing else; failures are results, not exceptions: none goes unobserved.
/// 10. Re-entry: who waits inside a flight notes it before he waits; a wait that would close a ring gets an error instead.
/// Order: a state and its lease are written before the compare-exchange (a full fence) that publishes them; an acquire load sees all.
/// </remarks>
/// <param name="owner">Whose slot it is.</param>
/// <param name="departed">The first flight, which the caller starts once others can see the slot; null: the slot is empty.</param>
internal sealed class ExpiringSlot<T>(ISlotOwner<T> owner, Flight? departed = null)
    where T : Credential
{
    private readonly AgreedClock _clock = owner.Clock;
    private SlotState<T> _state = departed is null ? SlotState<T>.Empty : SlotState<T>.Empty.Depart(departed);

    public SlotState<T> State => Volatile.Read(ref _state);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGet([NotNullWhen(true)] out T? credential)
    {
        SlotState<T> state = Volatile.Read(ref _state);
        bool isHit = _clock.IsBefore(state.HitUntil, state.WallEnd);
        credential = isHit ? state.Current! : null;   // a hit has one: without it HitUntil is the lowest number
        return isHit;
    }

    /// <summary>The way of a miss, and of the one hit that finds the refresh due.</summary>
    public ValueTask<T> GetAsync(CredentialRequest? request, CancellationToken cancellationToken) => GetUnlessRetiredAsync(request, cancellationToken)!;

    /// <summary>As <see cref="GetAsync"/>; null from a slot that was retired.</summary>
    public async ValueTask<T?> GetUnlessRetiredAsync(CredentialRequest? request, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SlotState<T> state = State;
            if (state.IsFinal)
                return state.Mark == SlotMark.Ended ? throw owner.JobEnded() : null;
            T? alive = state.AliveAt(_clock);
            Flight? flight = state.Flight;
            if (flight is null)
            {
                if (alive is not null && _clock.Tick < state.HitUntil)
                    return alive;
                if (state.Failure is { } remembered && remembered.Counts(_clock.Tick, alive is not null))
                    return alive ?? throw remembered.ToException(_clock);
                flight = new Flight(owner.NextFlightNumber(), alive, state.Failure, state.IsAtItsMaximum ? FlightAim.Replace : FlightAim.RenewOrReplace);
                if (!TryMove(state, state.Depart(flight)))
                    continue;
                owner.Start(this, flight, request);
            }
            if (alive is not null)
                return alive;
            using Flight.Wait wait = flight.BeginWait() ?? throw owner.Reentered();
            FlightFailure? failure = await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (failure is not null && State.Mark != SlotMark.Ended)
                return State.AliveAt(_clock) ?? throw failure.ToException(_clock);
        }
    }

    /// <summary>Starts a flight that nobody asked for, to lengthen the life of what is held, if the slot still is as it was seen: without a flight.</summary>
    public void Renew(SlotState<T> seen, CredentialRequest? request)
    {
        if (seen.AliveAt(_clock) is { } held && new Flight(owner.NextFlightNumber(), held, seen.Failure, FlightAim.Renew) is var flight && TryMove(seen, seen.Depart(flight)))
            owner.Start(this, flight, request);
    }

    /// <summary>Ends a flight with a registered credential.</summary>
    /// <returns>False: the slot did not take it; the caller ends the lease.</returns>
    public bool TryLand(Flight flight, T credential, long refreshTick)
    {
        while (true)
        {
            SlotState<T> state = State;
            bool mine = ReferenceEquals(state.Flight, flight);
            bool taken = mine && state.Takes(credential);
            if (mine && !TryMove(state, taken ? SlotState<T>.Land(credential, refreshTick, flight.After, _clock.Tick) : state.LandDoomed()))
                continue;
            flight.Complete(null);
            return taken;
        }
    }

    /// <summary>Ends a flight that brought nothing. Its failure is remembered for seconds, a denial until the policy changes; that there is nothing to renew is no failure.</summary>
    /// <returns>The credential that a denial took away; the caller ends its lease.</returns>
    public T? Fail(Flight flight, TokenExchangeException cause)
    {
        while (true)
        {
            SlotState<T> state = State;
            bool mine = ReferenceEquals(state.Flight, flight);
            FlightFailure? failure = mine && !state.IsForNobody && !cause.SaysNoMore ? FlightFailure.Of(cause, state.Failure, _clock, owner.Jitter(), flight.IsRefresh) : null;
            if (mine && !TryMove(state, failure is not null ? state.Fail(failure) : state.IsForNobody ? state.LandDoomed() : state.Keep()))
                continue;
            flight.Complete(failure);
            return failure is { IsDenial: true } ? state.Current : null;
        }
    }

    /// <summary>The target refused this credential: if those before were refused, too, the next flight has to wait. Or its issuer ends it sooner than was known: nobody waits for that.</summary>
    /// <returns>Whether it was the current one.</returns>
    public bool Reject(T credential, bool endsSooner = false)
    {
        while (State is var state && ReferenceEquals(state.Current, credential))
        {
            if (TryMove(state, endsSooner ? state.Drop() : state.Refuse(owner.Target, _clock, owner.Jitter())))
                return true;
        }
        return false;
    }

    /// <summary>Something is taken out of use: what is current, or what a flight in the air may bring. The same state without it: nothing of that is meant.</summary>
    public void Withdraw(Func<SlotState<T>, SlotState<T>> without)
    {
        while (State is var state && without(state) is var rest && !ReferenceEquals(rest, state) && !TryMove(state, rest))
            continue;
    }

    /// <summary>The policy changed.</summary>
    /// <returns>The credential that was current.</returns>
    public T? Invalidate()
    {
        SlotState<T> state;
        do
            state = State;
        while (!state.IsFinal && !TryMove(state, state.Invalidate()));
        return state.Current;
    }

    /// <summary>The job ended. A flight in the air finds that out when it lands; its waiters are woken now.</summary>
    public void End() => Interlocked.Exchange(ref _state, SlotState<T>.Ended).Flight?.Complete(null);

    /// <summary>Takes the slot out of use if it still is as it was seen. A flight is never lost: a state with one does not retire.</summary>
    public bool TryRetire(SlotState<T> seen) => seen.Flight is null && !seen.IsFinal && TryMove(seen, SlotState<T>.Retired);

    private bool TryMove(SlotState<T> from, SlotState<T> to) => ReferenceEquals(Interlocked.CompareExchange(ref _state, to, from), from);
}
