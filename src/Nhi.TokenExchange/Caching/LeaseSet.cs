namespace Nhi.TokenExchange;

/// <summary>The leases of one job: registered by flights, taken by whoever ends them. Lock-free.</summary>
/// <remarks>
/// A chain through the credentials themselves. Registering pushes (a full fence), then looks whether the set is closed; closing
/// marks (a full fence), then takes what is there. One of the two sees the other, perhaps both do, and the exchange of
/// <see cref="LeaseRecord.State"/> from Live to Taken lets one win: each lease is ended by exactly one party.
/// Pruning takes the whole chain out, drops what is taken or past its end, and pushes the rest back. A closing that runs in between misses
/// what the pruner holds; so the pruner reports as a registering flight does, by looking whether the set is closed after it pushed
/// back, and whoever closes takes again once no flight is in the air (only flights register and prune).
/// </remarks>
/// <param name="clock">The clock that the leases' ends are in.</param>
/// <param name="expired">Told of each lease that pruning found dead.</param>
internal sealed class LeaseSet(AgreedClock clock, Action<Credential> expired)
{
    private const int PruneAfterAtLeast = 64;

    private Credential? _head;
    private int _closed;
    private int _registered;
    private int _pruneAt = PruneAfterAtLeast;
    private int _inTheAir;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the set is closed and no flight is in the air. A flight that takes off later sees that the set is closed.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Whether the job has ended.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>How many flights have taken off and not come to their end.</summary>
    public int FlightsInTheAir => Volatile.Read(ref _inTheAir);

    public void TakeOff() => Interlocked.Increment(ref _inTheAir);

    public void TouchDown()
    {
        if (Interlocked.Decrement(ref _inTheAir) == 0 && IsClosed)
            _drained.TrySetResult();
    }

    /// <summary>Ends the time of registering.</summary>
    /// <returns>True for the first caller.</returns>
    public bool Close()
    {
        bool first = Interlocked.Exchange(ref _closed, 1) == 0;
        if (FlightsInTheAir == 0)
            _drained.TrySetResult();
        return first;
    }

    /// <summary>Claims a credential object for one lease.</summary>
    /// <returns>False: this object was registered before.</returns>
    public static bool TryClaim(Credential credential, in LeaseRecord lease)
    {
        if (Interlocked.CompareExchange(ref credential.Lease.State, LeaseState.Live, LeaseState.None) != LeaseState.None)
            return false;
        credential.Lease = lease with { State = LeaseState.Live };
        return true;
    }

    /// <summary>Adds a claimed credential.</summary>
    /// <returns>False: the job has ended; the caller tries to take the lease, and ends it if it wins.</returns>
    public bool Register(Credential credential)
    {
        Push(credential, credential);
        if (Interlocked.Increment(ref _registered) >= Volatile.Read(ref _pruneAt))
            Prune();
        return !IsClosed;
    }

    /// <summary>Makes the caller the one party that ends this lease.</summary>
    /// <returns>False: somebody else does, or did.</returns>
    public static bool TryTake(Credential credential) =>
        Interlocked.CompareExchange(ref credential.Lease.State, LeaseState.Taken, LeaseState.Live) == LeaseState.Live;

    /// <summary>Takes all leases that are in the chain.</summary>
    public List<Credential> TakeAll()
    {
        var taken = new List<Credential>();
        for (Credential? lease = Interlocked.Exchange(ref _head, null); lease is not null; lease = lease.Lease.Next)
        {
            if (TryTake(lease))
                taken.Add(lease);
        }
        return taken;
    }

    private void Prune()
    {
        Volatile.Write(ref _pruneAt, int.MaxValue);   // one prunes; others register on
        DateTimeOffset now = clock.Now;
        Credential? kept = null;
        Credential? last = null;
        int count = 0;
        Credential? next;
        for (Credential? lease = Interlocked.Exchange(ref _head, null); lease is not null; lease = next)
        {
            next = lease.Lease.Next;
            if (lease.Lease.State == LeaseState.Taken)
                continue;
            if (lease.ExpiresAt <= now)
            {
                if (TryTake(lease))
                    expired(lease);
                continue;
            }
            last ??= lease;
            lease.Lease.Next = kept;
            kept = lease;
            count++;
        }
        if (kept is not null)
            Push(kept, last!);
        Interlocked.Exchange(ref _registered, count);
        Volatile.Write(ref _pruneAt, Math.Max(PruneAfterAtLeast, 2 * count));
    }

    private void Push(Credential first, Credential last)
    {
        Credential? head;
        do
        {
            head = Volatile.Read(ref _head);
            last.Lease.Next = head;
        }
        while (!ReferenceEquals(Interlocked.CompareExchange(ref _head, first, head), head));
    }
}
