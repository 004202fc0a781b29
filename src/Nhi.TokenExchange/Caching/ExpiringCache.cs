using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Slots for callers whose scopes, tenant or claims vary: a bounded map from the full request to slots.</summary>
/// <remarks>
/// Bound: never more than the capacity; a place is reserved before a slot is added. Nobody cleans by a timer: each slot that is added
/// pays for looking at two others and removes those that hold nothing (no flight, no credential that is alive, no failure that still counts).
/// Worst case: at capacity, with nothing dead, an addition looks at all slots once and evicts the remembered failure that is soonest over,
/// else the credential that dies soonest. If all are in flight, it throws a transient error. Callers who want one new key at once each
/// look, and all but the first find it before they evict, unless two stand between that look and its addition.
/// Memory: about 300 bytes a slot, and the key, at the capacity at most. That bounds what can be found again, not what lives: a caller
/// may be using what is evicted, so it is not ended, and its lease (about 100 bytes and the secret) stays in the <see cref="LeaseSet"/>,
/// which has no bound, until it dies or somebody ends it: the job's end, or who is done with it.
/// Why no flight is lost and no key has two:
/// 1. A slot enters the map with its first flight in it; so a slot in the map that has neither flight nor credential nor failure is one
///    whose time is over, never one whose maker did not come to start it.
/// 2. Only a slot without a flight retires, by an exchange of the very state that was judged; after it no flight departs from it. So the
///    flights of a retired slot have all landed before the key's next slot can enter the map.
/// 3. Who looked a slot up before it retired, or waited in it, finds Retired, helps to remove it and looks the key up again.
/// 4. Who removes a slot from the map, and nobody else, gives its place back or takes it over.
/// 5. Job end: the end is marked before the map is walked; who adds looks at the mark after adding. One sees the other.
/// 6. Policy change: a slot that a walk of the map does not see was added, and so departed, after the policy had changed.
/// </remarks>
internal sealed class ExpiringCache<T>(ISlotOwner<T> owner, int capacity = ExpiringCache<T>.DefaultCapacity)
    where T : Credential
{
    public const int DefaultCapacity = 10_000;

    // Two for each that is added: the walk is faster than the growth, so what is dead stays less than what was added since.
    private const int LooksPerAddition = 2;

    private readonly ConcurrentDictionary<CredentialRequest, ExpiringSlot<T>> _slots = new(RequestKeys.Comparer);
    private readonly AgreedClock _clock = owner.Clock;
    private IEnumerator<KeyValuePair<CredentialRequest, ExpiringSlot<T>>>? _walk;
    private int _walking;
    private int _count;
    private bool _ended;

    /// <summary>How many slots there are; places that were reserved and not filled yet count.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Gives the credential for a request. A hit completes synchronously and allocates nothing.</summary>
    /// <exception cref="TokenExchangeException">As a slot's; also, transient, if there are as many flights as slots.</exception>
    public ValueTask<T> GetAsync(CredentialRequest request, CancellationToken cancellationToken) =>
        _slots.TryGetValue(request, out ExpiringSlot<T>? slot) && slot.TryGet(out T? credential)
            ? new ValueTask<T>(credential)
            : MissAsync(request, cancellationToken);

    /// <summary>The target refused this credential, or its issuer ends it sooner than was known. Looks through all slots: that is rare, and a way back would cost each key 8 bytes.</summary>
    /// <returns>Whether it was the current one of a slot.</returns>
    public bool Reject(T credential, bool endsSooner = false)
    {
        foreach (KeyValuePair<CredentialRequest, ExpiringSlot<T>> entry in _slots)
        {
            if (entry.Value.Reject(credential, endsSooner))
                return true;
        }
        return false;
    }

    /// <inheritdoc cref="ExpiringSlot{T}.Withdraw"/>
    public void Withdraw(Func<SlotState<T>, SlotState<T>> without)
    {
        foreach (KeyValuePair<CredentialRequest, ExpiringSlot<T>> entry in _slots)
            entry.Value.Withdraw(without);
    }

    /// <summary>Takes out of use what is held for a caller, and what flights in the air bring for it.</summary>
    /// <returns>The caller's keys.</returns>
    public IReadOnlyList<CredentialRequest> WithdrawOf(CredentialCaller caller)
    {
        var keys = new List<CredentialRequest>();
        foreach ((CredentialRequest key, ExpiringSlot<T> slot) in _slots)
        {
            if (!caller.Equals(key.Caller))
                continue;
            slot.Withdraw(state => state.IsFinal ? state : state.Withdraw());
            keys.Add(key);
        }
        return keys;
    }

    /// <summary>The policy changed.</summary>
    /// <returns>The credentials that were current.</returns>
    public IReadOnlyList<Credential> Invalidate()
    {
        var current = new List<Credential>();
        foreach (KeyValuePair<CredentialRequest, ExpiringSlot<T>> entry in _slots)
        {
            if (entry.Value.Invalidate() is { } credential)
                current.Add(credential);
        }
        return current;
    }

    /// <summary>The job ended.</summary>
    public void End()
    {
        Volatile.Write(ref _ended, true);
        Interlocked.MemoryBarrier();   // a store, then loads: the one order that x64, too, turns round; needed everywhere
        foreach (KeyValuePair<CredentialRequest, ExpiringSlot<T>> entry in _slots)
            entry.Value.End();
    }

    private async ValueTask<T> MissAsync(CredentialRequest request, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ExpiringSlot<T> slot = _slots.TryGetValue(request, out ExpiringSlot<T>? found) ? found : Add(request);
            if (await slot.GetUnlessRetiredAsync(request, cancellationToken).ConfigureAwait(false) is { } credential)
                return credential;
            TryRemove(request, slot);
        }
    }

    private ExpiringSlot<T> Add(CredentialRequest request)
    {
        if (Volatile.Read(ref _ended))
            throw owner.JobEnded();
        if (Reserve(request) is { } added)
            return added;
        var flight = new Flight(owner.NextFlightNumber(), held: null);
        var slot = new ExpiringSlot<T>(owner, flight);
        ExpiringSlot<T> winner = _slots.GetOrAdd(request, slot);
        if (!ReferenceEquals(winner, slot))
        {
            Interlocked.Decrement(ref _count);
            return winner;
        }
        Interlocked.MemoryBarrier();   // the other half; on x64 the lock that GetOrAdd takes to add fences already
        if (Volatile.Read(ref _ended))
            slot.End();
        else
            owner.Start(slot, flight, request);
        LookAtSome();
        return slot;
    }

    /// <summary>Makes sure of a place for the slot of a request.</summary>
    /// <returns>Null: there is one. Else the slot that another has added for the request meanwhile, and no place was taken.</returns>
    private ExpiringSlot<T>? Reserve(CredentialRequest request)
    {
        while (true)
        {
            int count = Volatile.Read(ref _count);
            if (count < capacity)
            {
                if (Interlocked.CompareExchange(ref _count, count + 1, count) == count)
                    return null;
            }
            else if (_slots.TryGetValue(request, out ExpiringSlot<T>? added))
            {
                return added;
            }
            else if (TryTakeOver(request))
            {
                return null;
            }
        }
    }

    /// <summary>Empties one place for the slot of a request.</summary>
    /// <returns>False: somebody moved what was chosen, or added the slot; look again.</returns>
    private bool TryTakeOver(CredentialRequest request)
    {
        KeyValuePair<CredentialRequest, ExpiringSlot<T>> victim = default;
        SlotState<T>? seen = null;
        long worth = long.MaxValue;
        bool isFull = true;
        foreach (KeyValuePair<CredentialRequest, ExpiringSlot<T>> entry in _slots)
        {
            SlotState<T> state = entry.Value.State;
            isFull &= state.Flight is not null;
            if (state.Mark == SlotMark.Retired && _slots.TryRemove(entry))
                return true;
            if (state.Flight is not null || state.IsFinal)
                continue;
            long own = WorthOf(state);
            if (seen is not null && own >= worth)
                continue;
            (victim, seen, worth) = (entry, state, own);
            if (own == Nothing)
                break;
        }
        // Of a herd that missed together each has looked at all slots by now: what is alive goes for the first of them only.
        if (_slots.ContainsKey(request))
            return false;
        if (seen is not null)
            return victim.Value.TryRetire(seen) && _slots.TryRemove(victim);
        if (Volatile.Read(ref _ended))
            throw owner.JobEnded();
        if (!isFull || Count < capacity)
            return false;
        throw new TokenExchangeException(ErrorCodes.TooManyKeys, ExchangeStage.Exchange, FormattableString.Invariant($"There are exchanges in the air for {capacity} different requests of this target; no more are started."))
        {
            Target = owner.Target, IsTransient = true, RetryAfter = TimeSpan.FromSeconds(1), Hint = "Vary scopes, tenant and claims less, or spread the calls.",
        };
    }

    private const long Nothing = long.MinValue;

    // Nothing < failures, by the next try < credentials, by their end. Ticks are positive.
    private long WorthOf(SlotState<T> state)
    {
        if (state.AliveAt(_clock) is { } alive)
            return alive.Lease.DeadTick;
        return state.Failure is { } failure && !failure.IsForgotten(_clock.Tick) ? failure.NotBeforeTick - long.MaxValue : Nothing;
    }

    // One walks, the others go on: nobody waits. An old walk sees what was there when it began, which is enough: the next begins anew.
    private void LookAtSome()
    {
        if (Interlocked.Exchange(ref _walking, 1) != 0)
            return;
        for (int i = 0; i < LooksPerAddition; i++)
        {
            _walk ??= _slots.GetEnumerator();
            if (!_walk.MoveNext())
            {
                _walk.Dispose();
                _walk = null;
                break;
            }
            SlotState<T> state = _walk.Current.Value.State;
            if (state.Flight is null && WorthOf(state) == Nothing && _walk.Current.Value.TryRetire(state))
                TryRemove(_walk.Current.Key, _walk.Current.Value);
        }
        Volatile.Write(ref _walking, 0);
    }

    private void TryRemove(CredentialRequest request, ExpiringSlot<T> slot)
    {
        if (_slots.TryRemove(KeyValuePair.Create(request, slot)))
            Interlocked.Decrement(ref _count);
    }
}
