using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>The leases of one job: registered by flights, taken by whoever ends them. Lock-free.</summary>
/// <remarks>
/// A chain through the credentials themselves. Registering pushes (a full fence), then looks whether the set is closed; closing
/// marks (a full fence), then takes what is there. One of the two sees the other, perhaps both do, and the exchange of
/// <see cref="LeaseRecord.State"/> from Live to Taken lets one win: each lease is ended by exactly one party.
/// Pruning unlinks inside the chain and never takes it away, so a closing at any instant finds every lease that lives. One prunes at
/// a time; only he writes the links below the head. Who walks the chain meanwhile still reaches its end: what was unlinked keeps
/// its own link. The head stays until something stands before it. A lease whose end is uncertain is told of at that end and stays
/// in the chain until somebody takes it: it may live on, so a closing has to find it.
/// Who tries to end a lease while the job runs borrows it: it stays in the chain, for he may put it back. Putting back marks it
/// Live (a full fence), then looks whether the set is closed; if not, the closing finds it in the chain. If so, the chain may have
/// been taken already, and can't be pushed on again while somebody may walk it: the lease is put into a queue (a full fence), and then
/// he looks whether the set was taken for the last time. Who takes looks into the queue, the last time after he has marked that (a
/// full fence): again one of the two sees the other, and one wins.
/// A renewal is pushed, and then takes the place of what it renews: who looks for the one finds one of the two. A closing in between
/// finds both, and leaves the older one out. Before an issuer is asked to lengthen a life that lease is marked as one whose end is
/// uncertain (a full fence), and then its end is compared with the clock; who takes a lease for dead compares first (a full fence),
/// and looks at the mark then. So no renewal is sent of what somebody takes for dead without asking.
/// A change of the policy begins an era (a full fence), then empties the slots, then walks the chain. A flight looks at the era before the policy is asked, and its lease keeps that. If it saw the one before, it had taken off before:
/// what it brought stands in the chain, or in its slot, or it is doomed and ends what it brings. If it saw the new one, the new rules decided. Ended once: who walks borrows from Live like everybody else.
/// No bound: each lease stays until it is dead or ended, also what the cache has let go of (about 100 bytes and the secret).
/// </remarks>
/// <param name="clock">The clock that the leases' ends are in.</param>
/// <param name="expired">Told of each lease that pruning found dead, and took.</param>
/// <param name="overdue">Told of each lease that pruning found at an end that is uncertain, perhaps more than once. Who ends it, borrows or takes it.</param>
internal sealed class LeaseSet(AgreedClock clock, Action<Credential> expired, Action<Credential> overdue)
{
    private const int PruneAfterAtLeast = 64;
    // Milliseconds: a lease's wall end is cut to whole seconds, and a wall that is slewed goes a little off.
    private const double MostApart = 2000;

    private Credential? _head;
    private int _closed;
    private int _over;
    private int _era;
    private readonly ConcurrentQueue<Credential> _putBack = new();
    private int _linked;
    private int _pruneAt = PruneAfterAtLeast;
    private int _pruning;
    private int _inTheAir;
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the set is closed and no flight is in the air. A flight that takes off later sees that the set is closed.</summary>
    public Task Drained => _drained.Task;

    /// <summary>Whether the job has ended.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    /// <summary>How often the policy has changed.</summary>
    public int Era => Volatile.Read(ref _era);

    /// <summary>How many flights have taken off and not come to their end.</summary>
    public int FlightsInTheAir => Volatile.Read(ref _inTheAir);

    /// <summary>Counts a flight, to be ended by <see cref="TouchDown"/> in any case.</summary>
    /// <returns>False: the job has ended, perhaps without waiting for this flight; it must not make a credential any more.</returns>
    public bool TakeOff()
    {
        Interlocked.Increment(ref _inTheAir);
        return !IsClosed;
    }

    public void TouchDown()
    {
        if (Interlocked.Decrement(ref _inTheAir) == 0 && IsClosed)
            _drained.TrySetResult();
    }

    /// <summary>Ends the time of registering.</summary>
    public void Close()
    {
        Interlocked.Exchange(ref _closed, 1);
        if (FlightsInTheAir == 0)
            _drained.TrySetResult();
    }

    /// <summary>Adds a claimed credential. Who registers looks at <see cref="IsClosed"/> afterwards: if it is, he tries to take the lease, and ends it if he wins.</summary>
    public void Register(Credential credential)
    {
        Credential? head;
        do
        {
            head = Volatile.Read(ref _head);
            credential.Lease.Next = head;
        }
        while (!ReferenceEquals(Interlocked.CompareExchange(ref _head, credential, head), head));
        if (Interlocked.Increment(ref _linked) >= Volatile.Read(ref _pruneAt))
            Prune();
    }

    /// <summary>Whether a credential is past its issuer's end, by both hands: a wall clock that jumps ahead for a moment must not make us forget what lives at its issuer.</summary>
    public bool IsPastEnd(Credential credential)
    {
        // DeadTick is our end; the issuer's is later by as much as the two ends lie apart.
        TimeSpan after = credential.ExpiresAt - clock.InstantOf(credential.Lease.WallEnd);
        return credential.ExpiresAt <= clock.Now && credential.Lease.DeadTick + (long)after.TotalMilliseconds <= clock.Tick;
    }

    /// <summary>Whether the wall clock went as the other hand did since the credential was issued. If it was set, an end that reads the same is another one.</summary>
    public bool KeptTheWall(Credential credential)
    {
        double then = credential.Lease.DeadTick - (clock.InstantOf(credential.Lease.WallEnd) - DateTimeOffset.UnixEpoch).TotalMilliseconds;
        double now = clock.Tick - (clock.Now - DateTimeOffset.UnixEpoch).TotalMilliseconds;
        return Math.Abs(then - now) <= MostApart;
    }

    /// <summary>Whether a credential may live on after the end that is known of it. Who compares that with the clock does so before.</summary>
    public static bool IsEndUncertain(Credential credential)
    {
        Interlocked.MemoryBarrier();   // the mark is looked at after the clock
        return Volatile.Read(ref credential.Lease.EndIsUncertain);
    }

    /// <summary>Whether a credential is sure to have died of age.</summary>
    public bool IsDead(Credential credential) => IsPastEnd(credential) && !IsEndUncertain(credential);

    /// <summary>As <see cref="LeaseOwnership.TryBorrow"/>, of what stands in the books for a credential.</summary>
    /// <returns>What was borrowed; null: somebody else has it, or had.</returns>
    public Credential? TryBorrowNewest(Credential credential)
    {
        Credential newest = Newest(credential);
        while (!LeaseOwnership.TryBorrow(newest))
        {
            Credential seen = newest;
            newest = Newest(seen);   // it may have been renewed this instant
            if (ReferenceEquals(newest, seen))
                return null;
        }
        return newest;
    }

    /// <summary>A borrowed lease could not be ended: whoever comes next tries again.</summary>
    /// <returns>False: nobody comes, the set was taken for the last time, and the caller has taken it.</returns>
    public bool PutBack(Credential credential)
    {
        Interlocked.Exchange(ref credential.Lease.State, LeaseState.Live);
        if (!IsClosed)
            return true;
        _putBack.Enqueue(credential);
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref _over) == 0 || !LeaseOwnership.TryTake(credential);
    }

    /// <summary>Notes that the life of a lease is about to be lengthened: until its renewal takes its place, or <see cref="NotLengthened"/>, nobody takes it for dead without asking its issuer.</summary>
    /// <returns>False: it is past its end, or somebody ends it; its life is not to be lengthened.</returns>
    public bool TryLengthen(Credential lease)
    {
        Volatile.Write(ref lease.Lease.EndIsUncertain, true);
        Interlocked.MemoryBarrier();
        return lease.Lease.State == LeaseState.Live && !IsPastEnd(lease);
    }

    /// <summary>It was not lengthened: it ends when it was said to end.</summary>
    public static void NotLengthened(Credential lease) => Volatile.Write(ref lease.Lease.EndIsUncertain, false);

    /// <summary>Puts a registered renewal into the place of what it renews, or of a renewal of that that came before: one thing at the issuer is one lease.</summary>
    /// <param name="held">What it renews; null: whatever is the same.</param>
    /// <param name="renewed">The renewal.</param>
    /// <returns>What it took the place of; null: somebody ends what it renews, or has done so.</returns>
    public Credential? Supersede(Credential? held, Credential renewed)
    {
        if (held is not null && LeaseOwnership.TrySupersede(held))
            return held;
        for (Credential? lease = Volatile.Read(ref _head); lease is not null; lease = Volatile.Read(ref lease.Lease.Next))
        {
            if (!ReferenceEquals(lease, renewed) && IsTheSame(lease, renewed) && LeaseOwnership.TrySupersede(lease))
                return lease;
        }
        return null;
    }

    /// <summary>What stands in the books for a credential: its last renewal, or itself.</summary>
    public Credential Newest(Credential credential)
    {
        if (credential.Lease.State != LeaseState.Superseded)
            return credential;
        for (Credential? lease = Volatile.Read(ref _head); lease is not null; lease = Volatile.Read(ref lease.Lease.Next))
        {
            if (lease.Lease.State != LeaseState.Superseded && IsTheSame(lease, credential))
                return lease;
        }
        return credential;
    }

    /// <summary>The policy changed: begins the next era.</summary>
    public int BeginEra() => Interlocked.Increment(ref _era);

    /// <summary>The leases that live and that nobody ends, decided before an era.</summary>
    public List<Credential> LiveBefore(int era) => Live(lease => lease.Lease.Origin!.Era < era);

    /// <summary>The leases that live and that nobody ends, of one key of a target: what is handed out, what it replaced, and what the cache made room of.</summary>
    public List<Credential> LiveOf(TargetRuntime owner, CredentialRequest? request) => Live(lease => lease.Lease.Owner == owner && lease.Lease.IsOf(request));

    /// <summary>The leases that live and that nobody ends, of those that are meant.</summary>
    public List<Credential> Live(Func<Credential, bool> isMeant)
    {
        var live = new List<Credential>();
        for (Credential? lease = Volatile.Read(ref _head); lease is not null; lease = Volatile.Read(ref lease.Lease.Next))
        {
            if (lease.Lease.State == LeaseState.Live && isMeant(lease) && !IsDead(lease))
                live.Add(lease);
        }
        return live;
    }

    /// <summary>Takes all leases that are there, but for borrowed ones.</summary>
    /// <param name="isLast">Whether nobody takes what is put back after this.</param>
    public List<Credential> TakeAll(bool isLast = false)
    {
        var taken = new List<Credential>();
        var things = new HashSet<(TargetRuntime?, string, string)>();
        if (isLast)
            Interlocked.Exchange(ref _over, 1);
        for (Credential? lease = Interlocked.Exchange(ref _head, null); lease is not null; lease = Volatile.Read(ref lease.Lease.Next))
            Take(lease);
        while (_putBack.TryDequeue(out Credential? lease))
            Take(lease);
        return taken;

        // The newest stands first.
        void Take(Credential lease)
        {
            if (!LeaseOwnership.TryTake(lease))
                return;
            if (lease.Lease.Handle is { } handle && !things.Add((lease.Lease.Owner, handle, lease.Fingerprint)))
                LeaseOwnership.LeaveOut(lease);
            else
                taken.Add(lease);
        }
    }

    /// <summary>Counts the leases that live at their issuers and that nobody ends, by target.</summary>
    public Dictionary<string, long> CountLive()
    {
        var count = new Dictionary<string, long>(StringComparer.Ordinal);
        DateTimeOffset now = clock.Now;
        for (Credential? lease = Volatile.Read(ref _head); lease is not null; lease = Volatile.Read(ref lease.Lease.Next))
        {
            if (lease.Lease.State == LeaseState.Live && (lease.ExpiresAt > now || IsEndUncertain(lease)))
                CollectionsMarshal.GetValueRefOrAddDefault(count, lease.Lease.Owner!.Target, out _)++;
        }
        return count;
    }

    /// <summary>Whether two objects stand for one thing at its issuer.</summary>
    public static bool IsTheSame(Credential lease, Credential other) =>
        lease.Lease.Owner == other.Lease.Owner && lease.Lease.Handle == other.Lease.Handle && lease.Fingerprint == other.Fingerprint;

    private void Prune()
    {
        if (Interlocked.Exchange(ref _pruning, 1) != 0)
            return;   // one prunes; the others register on
        try
        {
            Credential? kept = Volatile.Read(ref _head);
            Credential? next;
            for (Credential? lease = kept?.Lease.Next; lease is not null; lease = next)
            {
                next = lease.Lease.Next;
                if (IsOver(lease))
                {
                    Volatile.Write(ref kept!.Lease.Next, next);
                    Interlocked.Decrement(ref _linked);
                }
                else
                {
                    kept = lease;
                }
            }
        }
        finally
        {
            // At the double of what lives: each registration pays for two steps.
            Volatile.Write(ref _pruneAt, Math.Max(PruneAfterAtLeast, 2 * Volatile.Read(ref _linked)));
            Volatile.Write(ref _pruning, 0);
        }
    }

    private bool IsOver(Credential lease)
    {
        if (lease.Lease.State is LeaseState.Taken or LeaseState.Over or LeaseState.Superseded)
            return true;
        if (lease.Lease.State == LeaseState.Borrowed || !IsPastEnd(lease))
            return false;
        if (IsEndUncertain(lease))
        {
            overdue(lease);
            return false;
        }
        if (LeaseOwnership.TryTake(lease))
            expired(lease);
        return lease.Lease.State is LeaseState.Taken or LeaseState.Over;   // borrowed this instant, it may be put back
    }
}
