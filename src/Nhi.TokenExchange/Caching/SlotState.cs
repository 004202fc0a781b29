namespace Nhi.TokenExchange;

/// <summary>All that a slot is at one instant. Immutable: a transition makes the next state and exchanges it for this one.</summary>
/// <remarks>
/// <code>
///                 miss, or refresh due                land
///   Empty ------------------------------> Flying -----------> Fresh --refresh due--> Fresh+Flying --land--> Fresh'
///     ^  ^                                  |  |                | refused, policy         | fail: HitUntil = next try
///     |  '--- fail: failure, not before ----'  | policy: doomed  v                        v (served on; denied: Empty)
///     '---------- landed doomed: ended, waiters look again --- Empty                    Fresh
///   any --job end--> Ended          any without a flight --cache makes room--> Retired
/// </code>
/// </remarks>
internal sealed class SlotState<T>
    where T : Credential
{
    public static readonly SlotState<T> Empty = new(null, null, long.MinValue, SlotMark.None);
    public static readonly SlotState<T> Ended = new(null, null, long.MinValue, SlotMark.Ended);
    public static readonly SlotState<T> Retired = new(null, null, long.MinValue, SlotMark.Retired);

    // In the place of a failure: the issuer lengthens the life of the current credential no more.
    private static readonly object NoMore = new();

    public readonly T? Current;

    /// <summary>Until this tick a hit needs no second look: the refresh point, the next try, or the end of <see cref="Current"/>.</summary>
    public readonly long HitUntil;

    public readonly uint WallEnd;
    public readonly SlotMark Mark;

    // A flight, or the failure of the last one, or that the target refused what came before, or that there is no more to get. One field for all: 8 bytes a key.
    private readonly object? _pending;

    private SlotState(T? current, object? pending, long hitUntil, SlotMark mark)
    {
        Current = current;
        _pending = pending;
        HitUntil = current is null ? long.MinValue : Math.Min(hitUntil, current.Lease.DeadTick);
        WallEnd = current?.Lease.WallEnd ?? 0;
        Mark = mark;
    }

    public Flight? Flight => _pending as Flight;

    /// <summary>What failed last; while a flight is in the air, what failed before it.</summary>
    public FlightFailure? Failure => _pending as FlightFailure ?? Flight?.After;

    /// <summary>Its issuer lengthens the life of the current credential no more: the next call replaces it.</summary>
    public bool IsAtItsMaximum => ReferenceEquals(_pending, NoMore);

    /// <summary>The flight in the air is doomed, and nothing is current that it might renew, or be denied.</summary>
    public bool IsForNobody => Mark == SlotMark.Doomed && Current is null;

    /// <summary>No way leads out of this state.</summary>
    public bool IsFinal => Mark is SlotMark.Ended or SlotMark.Retired;

    /// <summary>The credential, if both hands say that it may be handed out.</summary>
    public T? AliveAt(AgreedClock clock) =>
        Current is { } current && clock.IsBefore(current.Lease.DeadTick, current.Lease.WallEnd) ? current : null;

    /// <summary>A flight starts. While it is in the air, what is still good is served at the price of a hit.</summary>
    public SlotState<T> Depart(Flight flight) => new(Current, flight, long.MaxValue, SlotMark.None);

    /// <summary>The flight brought a credential. That the target refused the one before is remembered beside it for a minute.</summary>
    public static SlotState<T> Land(T credential, long refreshTick, FlightFailure? before, long tick) =>
        new(credential, before is { IsRefusal: true } && !before.IsForgotten(tick) ? before : null, refreshTick, SlotMark.None);

    /// <summary>The flight failed: what is still good is served on until the next try, unless it is denied now.</summary>
    public SlotState<T> Fail(FlightFailure failure) => new(failure.IsDenial ? null : Current, failure, failure.NotBeforeTick, SlotMark.None);

    /// <summary>The flight was to lengthen a life, and there is no more to get: it is served on, and the next call replaces it.</summary>
    public SlotState<T> Keep() => new(Current, NoMore, long.MinValue, SlotMark.None);

    /// <summary>Whether the slot takes what its flight brings. To a doomed one that is the current credential alone, renewed.</summary>
    public bool Takes(T credential) => Mark == SlotMark.None || (Mark == SlotMark.Doomed && Current is { } current && LeaseSet.IsTheSame(current, credential));

    /// <summary>What the flight brought is not for this slot. What is current still is served on, and the next call sends for another.</summary>
    public SlotState<T> LandDoomed() => Current is null ? Empty : new(Current, null, long.MinValue, SlotMark.None);

    /// <summary>The target refused the current credential. A flight in the air brings the next one all the same.</summary>
    public SlotState<T> Refuse(string target, AgreedClock clock, double jitter) =>
        new(null, Flight ?? (object)FlightFailure.OfRefusal(target, Failure, clock, jitter), long.MinValue, Mark);

    /// <summary>The current credential ends sooner than was known.</summary>
    public SlotState<T> Drop() => new(null, _pending, long.MinValue, Mark);

    /// <summary>The credential is taken out of use, where it is the current one or what the flight in the air took off to replace, as that or as another object for the same thing at its issuer.</summary>
    public SlotState<T> Without(T credential) =>
        (Current is { } current && LeaseSet.IsTheSame(current, credential)) || (Flight?.Held is { } held && LeaseSet.IsTheSame(held, credential)) ? Withdraw() : this;

    /// <summary>What the flight in the air brings is not wanted, if it is something new. What is current is.</summary>
    public SlotState<T> WithoutFlight() => Flight is null || Mark != SlotMark.None ? this : new(Current, _pending, HitUntil, SlotMark.Doomed);

    /// <summary>The current credential is taken out of use, and so is what the flight in the air brings: it may be that credential, renewed.</summary>
    public SlotState<T> Withdraw() => new(null, _pending, long.MinValue, Flight is null ? Mark : SlotMark.Doomed);

    /// <summary>The policy changed: nothing that was decided before counts.</summary>
    public SlotState<T> Invalidate() => Flight is { } flight ? new(null, flight, long.MinValue, SlotMark.Doomed) : Empty;
}

/// <summary>What is special about a state.</summary>
internal enum SlotMark
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The flight in the air lands for nobody, unless it renews what is current still.</summary>
    Doomed,

    /// <summary>The job is over.</summary>
    Ended,

    /// <summary>The cache gave the slot's place to another key: who finds it looks its own key up again.</summary>
    Retired,
}
