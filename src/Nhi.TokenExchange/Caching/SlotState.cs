namespace Nhi.TokenExchange;

/// <summary>All that a slot is at one instant. Immutable: a transition makes the next state and exchanges it for this one.</summary>
/// <remarks>
/// <code>
///                 miss, or refresh due                land
///   Empty ------------------------------> Flying -----------> Fresh --refresh due--> Fresh+Flying --land--> Fresh'
///     ^  ^                                  |  |                | rejected, policy        | fail: HitUntil = next try
///     |  '--- fail: failure, not before ----'  | policy: doomed v                         v (served on)
///     '---------- landed doomed: ended, waiters look again --- Empty                    Fresh
///   any --job end--> Ended
/// </code>
/// </remarks>
internal sealed class SlotState<T>
    where T : Credential
{
    public static readonly SlotState<T> Empty = new(null, null, null, long.MinValue, SlotMark.None);
    public static readonly SlotState<T> Ended = new(null, null, null, long.MinValue, SlotMark.Ended);

    public readonly T? Current;
    public readonly Flight? Flight;
    public readonly FlightFailure? Failure;

    /// <summary>Until this tick a hit needs no second look: the refresh point, the next try, or the end of <see cref="Current"/>.</summary>
    public readonly long HitUntil;

    public readonly uint WallEnd;
    public readonly SlotMark Mark;

    private SlotState(T? current, Flight? flight, FlightFailure? failure, long hitUntil, SlotMark mark)
    {
        Current = current;
        Flight = flight;
        Failure = failure;
        HitUntil = current is null ? long.MinValue : Math.Min(hitUntil, current.Lease.DeadTick);
        WallEnd = current?.Lease.WallEnd ?? 0;
        Mark = mark;
    }

    /// <summary>A flight starts. While it is in the air, what is still good is served at the price of a hit.</summary>
    public SlotState<T> Depart(Flight flight) => new(Current, flight, Failure, long.MaxValue, SlotMark.None);

    /// <summary>The flight brought a credential.</summary>
    public static SlotState<T> Land(T credential, long refreshTick) => new(credential, null, null, refreshTick, SlotMark.None);

    /// <summary>The flight failed: what is still good is served on until the next try.</summary>
    public SlotState<T> Fail(FlightFailure failure) => new(Current, null, failure, failure.NotBeforeTick, SlotMark.None);

    /// <summary>The flight took off before the policy changed: whatever it brought is not for this slot.</summary>
    public static SlotState<T> LandDoomed() => Empty;

    /// <summary>The target refused the current credential.</summary>
    public SlotState<T> WithoutCurrent() => new(null, Flight, Failure, long.MinValue, Mark);

    /// <summary>The policy changed: nothing that was decided before counts.</summary>
    public SlotState<T> Invalidate() => new(null, Flight, null, long.MinValue, Flight is null ? SlotMark.None : SlotMark.Doomed);
}

/// <summary>What is special about a state.</summary>
internal enum SlotMark
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The flight in the air lands for nobody.</summary>
    Doomed,

    /// <summary>The job is over. No way leads out of this state.</summary>
    Ended,
}
