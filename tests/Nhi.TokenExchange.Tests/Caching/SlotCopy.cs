using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>What may be taken out of the copy of the slot, to see that the stress goes red.</summary>
[Flags]
internal enum PlantedBugs
{
    None = 0,
    NoLookAtEndedWhenLanding = 1,
    NoDoom = 2,
    WaitersTrustWhatLanded = 4,
    NoLookAtFlightBeforeDeparting = 8,
}

/// <summary>What a stress needs of a slot.</summary>
internal interface ISlot
{
    bool TryGet([NotNullWhen(true)] out BearerToken? credential);

    ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken);

    bool TryLand(Flight flight, BearerToken credential, long refreshTick);

    BearerToken? Fail(Flight flight, TokenExchangeException cause);

    bool Reject(BearerToken credential);

    BearerToken? Invalidate();

    void End();
}

/// <summary>The slot itself.</summary>
internal sealed class RealSlot(ISlotOwner<BearerToken> owner) : ISlot
{
    private readonly ExpiringSlot<BearerToken> _slot = new(owner);

    public bool TryGet([NotNullWhen(true)] out BearerToken? credential) => _slot.TryGet(out credential);

    public ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken) => _slot.GetAsync(null, cancellationToken);

    public bool TryLand(Flight flight, BearerToken credential, long refreshTick) => _slot.TryLand(flight, credential, refreshTick);

    public BearerToken? Fail(Flight flight, TokenExchangeException cause) => _slot.Fail(flight, cause);

    public bool Reject(BearerToken credential) => _slot.Reject(credential);

    public BearerToken? Invalidate() => _slot.Invalidate();

    public void End() => _slot.End();
}

/// <summary>A copy of <see cref="ExpiringSlot{T}"/> into which bugs can be planted; without one it is the same.</summary>
internal sealed class SlotCopy(AgreedClock clock, Func<long> nextNumber, Action<ISlot, Flight> start, PlantedBugs bugs) : ISlot
{
    private SlotState<BearerToken> _state = SlotState<BearerToken>.Empty;

    private SlotState<BearerToken> State => Volatile.Read(ref _state);

    public bool TryGet([NotNullWhen(true)] out BearerToken? credential)
    {
        SlotState<BearerToken> state = State;
        credential = clock.IsBefore(state.HitUntil, state.WallEnd) ? state.Current : null;
        return credential is not null;
    }

    public async ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            SlotState<BearerToken> state = State;
            if (state.IsFinal)
                throw StressOwner.Ended();
            BearerToken? alive = state.AliveAt(clock);
            Flight? flight = state.Flight;
            if (flight is null || (bugs.HasFlag(PlantedBugs.NoLookAtFlightBeforeDeparting) && alive is null))
            {
                if (alive is not null && clock.Tick < state.HitUntil)
                    return alive;
                if (state.Failure is { } remembered && remembered.Counts(clock.Tick, alive is not null))
                    return alive ?? throw remembered.ToException(clock);
                flight = new Flight(nextNumber(), alive, state.Failure);
                if (!TryMove(state, state.Depart(flight)))
                    continue;
                start(this, flight);
            }
            if (alive is not null)
                return alive;
            FlightFailure? failure = await flight.Landed.WaitAsync(cancellationToken);
            if (bugs.HasFlag(PlantedBugs.WaitersTrustWhatLanded) && State.Current is { } landed)
                return landed;
            if (failure is not null && State.Mark != SlotMark.Ended)
                return State.AliveAt(clock) ?? throw failure.ToException(clock);
        }
    }

    public bool TryLand(Flight flight, BearerToken credential, long refreshTick)
    {
        while (true)
        {
            SlotState<BearerToken> state = State;
            bool mine = ReferenceEquals(state.Flight, flight)
                || (state.Mark == SlotMark.Ended && bugs.HasFlag(PlantedBugs.NoLookAtEndedWhenLanding));
            bool taken = mine && (state.Mark == SlotMark.None
                || (state.Mark == SlotMark.Ended && bugs.HasFlag(PlantedBugs.NoLookAtEndedWhenLanding)));
            if (mine && !TryMove(state, taken ? SlotState<BearerToken>.Land(credential, refreshTick, flight.After, clock.Tick) : state.LandDoomed()))
                continue;
            flight.Complete(null);
            return taken;
        }
    }

    public BearerToken? Fail(Flight flight, TokenExchangeException cause)
    {
        while (true)
        {
            SlotState<BearerToken> state = State;
            bool mine = ReferenceEquals(state.Flight, flight);
            FlightFailure? failure = mine && state.Mark == SlotMark.None ? FlightFailure.Of(cause, state.Failure, clock, 0, flight.IsRefresh) : null;
            if (mine && !TryMove(state, failure is null ? state.LandDoomed() : state.Fail(failure)))
                continue;
            flight.Complete(failure);
            return failure is { IsDenial: true } ? state.Current : null;
        }
    }

    public bool Reject(BearerToken credential)
    {
        SlotState<BearerToken> state;
        do
        {
            state = State;
            if (!ReferenceEquals(state.Current, credential))
                return false;
        }
        while (!TryMove(state, state.Refuse("warehouse", clock, 0)));
        return true;
    }

    public BearerToken? Invalidate()
    {
        SlotState<BearerToken> state;
        do
            state = State;
        while (!state.IsFinal && !TryMove(state, bugs.HasFlag(PlantedBugs.NoDoom) && state.Flight is not null ? state.Refuse("warehouse", clock, 0) : state.Invalidate()));
        return state.Current;
    }

    public void End() => Interlocked.Exchange(ref _state, SlotState<BearerToken>.Ended).Flight?.Complete(null);

    private bool TryMove(SlotState<BearerToken> from, SlotState<BearerToken> to) => ReferenceEquals(Interlocked.CompareExchange(ref _state, to, from), from);
}
