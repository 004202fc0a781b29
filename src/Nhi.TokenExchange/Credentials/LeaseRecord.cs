namespace Nhi.TokenExchange;

/// <summary>Our bookkeeping of one credential: how long it is handed out, who can end it, and whether somebody already does.</summary>
/// <remarks>
/// Lives inside the credential, so that a hundred thousand keys cost no further object each. Written by the flight that
/// made the credential, before it is registered; after that only <see cref="State"/>, <see cref="Next"/> and
/// <see cref="EndIsUncertain"/> change, and only <see cref="LeaseSet"/> changes them.
/// </remarks>
internal struct LeaseRecord
{
    private const int NumberBits = 36;
    private const long LastNumber = (1L << NumberBits) - 1;

    /// <summary>The next lease in the set's chain.</summary>
    public Credential? Next;

    /// <summary>The target it was issued for, and what its proof attests. Null: this credential never passed a pipeline.</summary>
    public LeaseOrigin? Origin;

    /// <summary>What ends it at the issuer without holding it, if anything.</summary>
    public string? Handle;

    /// <summary>From this tick of the session's clock on it is handed out no more.</summary>
    public long DeadTick;

    // Two in one, so that a key pays nothing for the second: 36 bits for numbers (a thousand flights a second for two years), 28 for keys.
    private long _flightAndKey;

    /// <summary>From this second of the session's clock on it is handed out no more.</summary>
    public uint WallEnd;

    /// <summary>How many seconds before <see cref="WallEnd"/> the replacement is due.</summary>
    public ushort RefreshLead;

    /// <summary>Registered, or borrowed or taken by the one party that ends it.</summary>
    public LeaseState State;

    /// <summary>The issuer did not say when it ends, it came dead by our clock, or a renewal of it was sent and not answered: after its end it may live on.</summary>
    public bool EndIsUncertain;

    /// <summary>The target it was issued for, which knows how to end it.</summary>
    public readonly TargetRuntime? Owner => Origin?.Owner;

    /// <summary>The number of its flight within the session.</summary>
    public readonly long FlightNumber => _flightAndKey & LastNumber;

    /// <summary>Notes flight and key.</summary>
    /// <param name="flightNumber">The number of its flight.</param>
    /// <param name="request">What the caller wanted that differs from the target; null for nothing.</param>
    public LeaseRecord From(long flightNumber, CredentialRequest? request) => this with { _flightAndKey = KeyOf(request) | (flightNumber & LastNumber) };

    /// <summary>Whether it was issued for such a request to its target. By a hash: one in 268 million others is taken for it.</summary>
    public readonly bool IsOf(CredentialRequest? request) => (_flightAndKey & ~LastNumber) == KeyOf(request);

    private static long KeyOf(CredentialRequest? request) => (long)(request?.KeyHash ?? 0) << NumberBits;
}

/// <summary>Where a lease stands.</summary>
internal enum LeaseState : byte   // beside RefreshLead and EndIsUncertain it costs a key nothing
{
    /// <summary>Not registered with a job yet.</summary>
    None,

    /// <summary>Registered: whoever takes it ends it.</summary>
    Live,

    /// <summary>Borrowed by the one party that tries to end it while the job runs.</summary>
    Borrowed,

    /// <summary>Taken by the one party that ends it, or accounts for its end.</summary>
    Taken,

    /// <summary>Taken, and accounted for to the journal: nothing is left to do about it. Of a job without a journal none gets here.</summary>
    Over,

    /// <summary>The same thing at the issuer was renewed, and stands in the books as that: nobody ends this one.</summary>
    Superseded,
}
