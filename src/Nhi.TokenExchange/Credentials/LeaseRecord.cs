namespace Nhi.TokenExchange;

/// <summary>Our bookkeeping of one credential: how long it is handed out, who can end it, and whether somebody already does.</summary>
/// <remarks>
/// Lives inside the credential, so that a hundred thousand keys cost no further object each. Written by the flight that
/// made the credential, before it is registered; after that only <see cref="State"/>, <see cref="Next"/> and
/// <see cref="EndIsUncertain"/> change, and only <see cref="LeaseSet"/> changes them.
/// </remarks>
internal struct LeaseRecord
{
    /// <summary>The next lease in the set's chain.</summary>
    public Credential? Next;

    /// <summary>The target it was issued for, and what its proof attests. Null: this credential never passed a pipeline.</summary>
    public LeaseOrigin? Origin;

    /// <summary>What ends it at the issuer without holding it, if anything.</summary>
    public string? Handle;

    /// <summary>From this tick of the session's clock on it is handed out no more.</summary>
    public long DeadTick;

    /// <summary>The number of its flight within the session.</summary>
    public long FlightNumber;

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
