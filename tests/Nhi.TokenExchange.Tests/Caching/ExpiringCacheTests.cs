namespace Nhi.TokenExchange.Tests.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class ExpiringCacheTests
{
    private readonly SlotBench _bench = new();

    private static CredentialRequest Tenant(int number) => new() { Tenant = "tenant" + number };

    private static Task<BearerToken> Get(ExpiringCache<BearerToken> cache, CredentialRequest request, CancellationToken cancellationToken = default) =>
        cache.GetAsync(request, cancellationToken).AsTask();

    /// <summary>What is handed out at once; null: nothing is.</summary>
    private static BearerToken? Held(ExpiringCache<BearerToken> cache, CredentialRequest request) =>
        Get(cache, request) is { IsCompletedSuccessfully: true } held ? held.GetAwaiter().GetResult() : null;

    private async Task<BearerToken> FillAsync(ExpiringCache<BearerToken> cache, CredentialRequest request, double lifeSeconds = 600, double refreshSeconds = 300)
    {
        Task<BearerToken> get = Get(cache, request);
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench, lifeSeconds, refreshSeconds);
        Assert.That(await get, Is.SameAs(token));
        return token!;
    }

    [Test]
    public async Task The_same_request_in_other_words_is_the_same_key()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        BearerToken token = await FillAsync(cache, new CredentialRequest { Scopes = ScopeSet.Of("b", "a"), Tenant = "t", Claims = "{}" });
        Assert.That(await Get(cache, new CredentialRequest { Scopes = ScopeSet.Of("a", "b", "a"), Tenant = "t", Claims = "{}" }), Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(1));
    }

    [Test]
    public void P14_Requests_that_differ_in_anything_never_meet()
    {
        string?[] texts = [null, "", " ", "a", "A", "a b", "b", "a\0b", "a|b", "a,b", "\"", "{}", "1:a", "ı", "i", "I", "é", "e\u0301"];
        ScopeSet?[] scopes = [null, ScopeSet.Empty, ScopeSet.Of("a"), ScopeSet.Of("A"), ScopeSet.Of("a", "b"), ScopeSet.Of("a,b"), ScopeSet.Of("a|b")];
        CredentialRequest[] all = [.. from scope in scopes from tenant in texts from claims in texts select new CredentialRequest { Scopes = scope, Tenant = tenant, Claims = claims }];
        Assert.That(all.ToHashSet(RequestKeys.Comparer), Has.Count.EqualTo(all.Length));
        foreach (CredentialRequest request in all)
        {
            var same = new CredentialRequest { Scopes = request.Scopes is { } set ? ScopeSet.Parse(set.ToString()) : null, Tenant = request.Tenant, Claims = request.Claims };
            Assert.That(RequestKeys.Comparer.Equals(request, same), Is.True);
            Assert.That(RequestKeys.Comparer.GetHashCode(request), Is.EqualTo(RequestKeys.Comparer.GetHashCode(same)));
        }
    }

    [Test]
    public async Task A_hit_completes_synchronously_and_allocates_nothing()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        var request = new CredentialRequest { Scopes = ScopeSet.Of("a", "b"), Tenant = "t" };
        await FillAsync(cache, request);
        for (int i = 0; i < 200; i++)
            Assert.That(SlotBench.IsHit(cache.GetAsync(request, CancellationToken.None)), Is.True);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
            SlotBench.IsHit(cache.GetAsync(request, CancellationToken.None));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public async Task C9_Of_any_number_of_keys_never_more_than_the_capacity_is_held()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 50);
        int most = 0;
        for (int i = 0; i < 100_000; i++)
        {
            await FillAsync(cache, Tenant(i));
            most = Math.Max(most, cache.Count);
        }
        Assert.That((most, cache.Count), Is.EqualTo((50, 50)));
    }

    [Test]
    public async Task At_capacity_the_one_that_dies_soonest_goes_and_its_lease_stays()
    {
        var leases = new LeaseSet(_bench.Clock, _ => { }, _ => { });
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 3);
        var tokens = new BearerToken[4];
        double[] lives = [500, 400, 600, 700];
        for (int i = 0; i < 4; i++)
        {
            tokens[i] = await FillAsync(cache, Tenant(i), lives[i]);
            leases.Register(tokens[i]);
        }
        foreach (int kept in new[] { 0, 2, 3 })
            Assert.That(await Get(cache, Tenant(kept)), Is.SameAs(tokens[kept]));
        Assert.That(_bench.Started, Is.EqualTo(4));
        Assert.That(leases.TakeAll(), Does.Contain(tokens[1]));
        _ = Get(cache, Tenant(1));
        Assert.That((await _bench.DepartureAsync()).Request!.Tenant, Is.EqualTo("tenant1"), "the evicted one is issued anew");
    }

    [Test]
    public async Task At_capacity_they_go_in_the_order_of_their_ends()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 8);
        double[] lives = [500, 200, 700, 100, 800, 300, 600, 400];
        for (int i = 0; i < 8; i++)
            await FillAsync(cache, Tenant(i), lives[i]);
        foreach (double gone in lives.Order())
        {
            await FillAsync(cache, Tenant((int)gone), lifeSeconds: 10_000);
            for (int i = 0; i < 8; i++)
                Assert.That(lives[i] <= gone || Held(cache, Tenant(i)) is not null, $"the one of {lives[i]} s, when that of {gone} s has gone");
        }
        Assert.That((_bench.Started, cache.Count), Is.EqualTo((16, 8)));
    }

    [Test]
    public async Task What_the_target_refused_goes_before_a_credential_that_lives()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 2);
        BearerToken living = await FillAsync(cache, Tenant(0), lifeSeconds: 20, refreshSeconds: 19);
        Assert.That(cache.Reject(await FillAsync(cache, Tenant(1))), Is.True);
        await FillAsync(cache, Tenant(2));
        Assert.That(Held(cache, Tenant(0)), Is.SameAs(living));
    }

    [Test]
    public void A_cancelled_caller_starts_no_flight_and_takes_no_place()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        Assert.CatchAsync<OperationCanceledException>(() => Get(cache, Tenant(0), new CancellationToken(canceled: true)));
        Assert.That((_bench.Started, cache.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task Who_finds_a_retired_slot_in_the_map_removes_it_before_he_looks_again()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        await RetireAsync(cache, Tenant(0));
        using var over = new CancellationTokenSource();
        try
        {
            Task<BearerToken> get = Task.Run(() => Get(cache, Tenant(0), over.Token));
            BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
            Assert.That(await get, Is.SameAs(token));
            Assert.That(cache.Count, Is.EqualTo(1));
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    [Test]
    public async Task A_retired_slot_in_the_map_gives_its_place_and_no_credential_goes()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 2);
        BearerToken kept = await FillAsync(cache, Tenant(0));
        await RetireAsync(cache, Tenant(1));
        await FillAsync(cache, Tenant(2));
        Assert.That(Held(cache, Tenant(0)), Is.SameAs(kept));
        Assert.That((_bench.Started, cache.Count), Is.EqualTo((3, 2)));
    }

    // A place for one, which is taken.
    private static async Task<(HookedTime Time, SlotBench Bench, ExpiringCache<BearerToken> Cache)> FullAsync()
    {
        var time = new HookedTime(new ManualTimeProvider());
        var bench = new SlotBench(time);
        var cache = new ExpiringCache<BearerToken>(bench, capacity: 1);
        Task<BearerToken> held = Get(cache, Tenant(0));
        (await bench.DepartureAsync()).Land(bench);
        await held;
        return (time, bench, cache);
    }

    [Test]
    public async Task An_end_while_room_is_made_ends_the_looking_for_it()
    {
        (HookedTime time, SlotBench bench, ExpiringCache<BearerToken> cache) = await FullAsync();
        time.WhenRead = cache.End;   // where the credential's end is compared with the clock
        Task<BearerToken> late = Task.Run(() => Get(cache, Tenant(1)));
        Assert.That(Assert.CatchAsync<TokenExchangeException>(() => late.WaitAsync(TimeSpan.FromSeconds(20)))!.Code, Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That((bench.Started, cache.Count), Is.EqualTo((1, 1)));
    }

    // In some of the rounds the walk has passed what the other evicts, in some not: both orders are met.
    [Test]
    public async Task Of_two_who_want_the_same_new_key_at_capacity_one_evicts()
    {
        for (int round = 0; round < 20; round++)
        {
            var time = new HookedTime(new ManualTimeProvider());
            var bench = new SlotBench(time);
            CredentialRequest[] held = [.. Enumerable.Range(4 * round, 3).Select(Tenant)];
            CredentialRequest wanted = Tenant((4 * round) + 3);
            var cache = new ExpiringCache<BearerToken>(bench, capacity: held.Length);
            for (int i = 0; i < held.Length; i++)
            {
                Task<BearerToken> get = Get(cache, held[i]);
                (await bench.DepartureAsync()).Land(bench, 400 + (100 * i));
                await get;
            }
            Task<BearerToken>? first = null;
            time.WhenRead = () => first = Get(cache, wanted);   // while the second looks for the one that dies soonest
            Task<BearerToken> second = Get(cache, wanted);
            BearerToken? token = (await bench.DepartureAsync()).Land(bench);
            Assert.That(await first!, Is.SameAs(token));
            Assert.That(await second, Is.SameAs(token));
            Assert.That(held.Count(request => Held(cache, request) is not null), Is.EqualTo(2), $"round {round}: one made room");
        }
    }

    [Test]
    public async Task Who_looks_for_room_among_flights_alone_finds_his_own_key_in_the_air()
    {
        (HookedTime time, SlotBench bench, ExpiringCache<BearerToken> cache) = await FullAsync();
        time.WhenRead = () => _ = Get(cache, Tenant(1));
        Task<BearerToken> waiter = Get(cache, Tenant(1));
        Assert.That(waiter.IsFaulted, Is.False, waiter.Exception?.InnerException?.Message);
        BearerToken? token = (await bench.DepartureAsync()).Land(bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task A_remembered_failure_goes_before_a_credential_that_lives()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 2);
        BearerToken living = await FillAsync(cache, Tenant(0), lifeSeconds: 20, refreshSeconds: 19);
        Task<BearerToken> denied = Get(cache, Tenant(1));
        (await _bench.DepartureAsync()).Fail(new AccessDeniedException("rule", "no") { IsOfThePolicy = true });
        Assert.CatchAsync<AccessDeniedException>(() => denied);
        await FillAsync(cache, Tenant(2));
        Assert.That(await Get(cache, Tenant(0)), Is.SameAs(living));
    }

    [Test]
    public async Task What_is_in_flight_is_never_evicted_and_too_many_flights_are_a_transient_error()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 2);
        Task<BearerToken> first = Get(cache, Tenant(0));
        Task<BearerToken> second = Get(cache, Tenant(1));
        TokenExchangeException full = Assert.CatchAsync<TokenExchangeException>(() => Get(cache, Tenant(2)))!;
        Assert.That((full.Code, full.IsTransient, full.Target), Is.EqualTo((ErrorCodes.TooManyKeys, true, "warehouse")));
        Assert.That((full.Detail, full.Hint, full.RetryAfter), Is.EqualTo((
            "There are exchanges in the air for 2 different requests of this target; no more are started.", "Vary scopes, tenant and claims less, or spread the calls.", TimeSpan.FromSeconds(1))));
        Assert.That(cache.Count, Is.EqualTo(2));
        BearerToken? a = (await _bench.DepartureAsync()).Land(_bench);
        BearerToken? b = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await first, Is.SameAs(a));
        Assert.That(await second, Is.SameAs(b));
        await FillAsync(cache, Tenant(2));
    }

    [Test]
    public async Task A_refresh_in_the_air_protects_its_slot()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 2);
        BearerToken soon = await FillAsync(cache, Tenant(0), lifeSeconds: 60, refreshSeconds: 10);
        await FillAsync(cache, Tenant(1));
        _bench.Hands.Advance(TimeSpan.FromSeconds(11));
        Assert.That(await Get(cache, Tenant(0)), Is.SameAs(soon));
        Departure refresh = await _bench.DepartureAsync();
        await FillAsync(cache, Tenant(2));
        BearerToken? token = refresh.Land(_bench);
        Assert.That(token, Is.Not.Null);
        Assert.That(await Get(cache, Tenant(0)), Is.SameAs(token));
    }

    [Test]
    public async Task What_is_dead_is_removed_in_steps_by_those_who_add()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 100_000);
        for (int i = 0; i < 1000; i++)
            await FillAsync(cache, Tenant(i), lifeSeconds: 60);
        _bench.Hands.Advance(TimeSpan.FromSeconds(61));
        for (int i = 1000; i < 3000; i++)
            await FillAsync(cache, Tenant(i), lifeSeconds: 600);
        Assert.That(cache.Count, Is.EqualTo(2000), "whatever the order of the walk, it has passed each of the dead");
    }

    [Test]
    public async Task Each_who_adds_looks_at_two_and_at_no_more()
    {
        for (int dead = 10; dead < 30; dead++)
        {
            var cache = new ExpiringCache<BearerToken>(_bench);
            for (int i = 0; i < dead; i++)
                await FillAsync(cache, Tenant((1000 * dead) + i), lifeSeconds: 60);
            _bench.Hands.Advance(TimeSpan.FromSeconds(61));
            int enough = (2 * dead) + 4, before = dead;
            for (int i = 0; i < enough; i++)
            {
                await FillAsync(cache, Tenant((1000 * dead) + dead + i), lifeSeconds: 600);
                Assert.That(before - cache.Count, Is.LessThanOrEqualTo(1), "one came, two went at most");
                before = cache.Count;
            }
            Assert.That(cache.Count, Is.EqualTo(enough), $"wherever the walk stood, it has passed each of the {dead} dead");
        }
    }

    [Test]
    public async Task Who_adds_while_another_looks_leaves_the_looking_to_him()
    {
        var hands = new ManualTimeProvider();
        var time = new HookedTime(hands);
        var bench = new SlotBench(time);
        var cache = new ExpiringCache<BearerToken>(bench);
        Task<BearerToken> dead = Get(cache, Tenant(0));
        (await bench.DepartureAsync()).Land(bench);
        await dead;
        hands.Advance(TimeSpan.FromSeconds(61));
        time.WhenRead = () => _ = Get(cache, Tenant(2));   // where the dead one is looked at
        _ = Get(cache, Tenant(1));
        Assert.That((bench.Started, cache.Count), Is.EqualTo((3, 2)), "the dead one went");
    }

    [Test]
    public async Task A_failure_is_not_cleaned_away_while_it_counts()
    {
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 1000);
        Task<BearerToken> failing = Get(cache, Tenant(0));
        (await _bench.DepartureAsync()).Fail(SlotBench.Trouble(TimeSpan.FromSeconds(200)));
        Assert.CatchAsync<TokenExchangeException>(() => failing);
        for (int i = 1; i < 100; i++)
            await FillAsync(cache, Tenant(i));
        Assert.CatchAsync<TokenExchangeException>(() => Get(cache, Tenant(0)));
        Assert.That(_bench.Started, Is.EqualTo(100), "no second try for the failing key");
        _bench.Hands.Advance(TimeSpan.FromSeconds(261));
        for (int i = 100; i < 600; i++)
            await FillAsync(cache, Tenant(i));
        Assert.That(cache.Count, Is.EqualTo(599), "the failure is forgotten, the credentials live");
    }

    [Test]
    public async Task Who_finds_a_slot_that_retired_under_him_looks_its_key_up_again()
    {
        // The waiter of a doomed flight wakes in a slot that holds nothing; before it departs again the slot loses its place.
        var cache = new ExpiringCache<BearerToken>(_bench, capacity: 1);
        Task<BearerToken> waiter = Get(cache, Tenant(0));
        Departure doomed = await _bench.DepartureAsync();
        cache.Invalidate();
        Task<BearerToken>? usurper = null;
        _bench.BeforeDeparture = () => usurper = Get(cache, Tenant(1));
        Assert.That(doomed.Land(_bench), Is.Null);
        Departure second = await _bench.DepartureAsync();
        Assert.That(second.Request!.Tenant, Is.EqualTo("tenant1"));
        BearerToken? other = second.Land(_bench);
        Assert.That(await usurper!, Is.SameAs(other));
        // By when it looked, the waiter saw the usurper's flight in the only place, or evicted what had landed.
        Task first = await Task.WhenAny(waiter, Landing());
        if (first == waiter)
            Assert.That(Assert.CatchAsync<TokenExchangeException>(() => waiter)!.Code, Is.EqualTo(ErrorCodes.TooManyKeys));
        else
            Assert.That((await waiter).ExpiresAt, Is.GreaterThan(_bench.Clock.Now));

        async Task Landing()
        {
            Departure third = await _bench.DepartureAsync();
            Assert.That(third.Request!.Tenant, Is.EqualTo("tenant0"));
            Assert.That(third.Slot, Is.Not.SameAs(doomed.Slot));
            third.Land(_bench);
            await waiter;
        }
    }

    [Test]
    public async Task A_rejection_finds_its_slot_and_nobody_elses()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        var foreign = new ExpiringCache<BearerToken>(new SlotBench());
        BearerToken token = await FillAsync(cache, Tenant(0));
        BearerToken other = await FillAsync(cache, Tenant(1));
        Assert.That(foreign.Reject(token), Is.False);
        Assert.That(cache.Reject(token), Is.True);
        Assert.That(cache.Reject(token), Is.False);
        Assert.That(await Get(cache, Tenant(1)), Is.SameAs(other));
        await FillAsync(cache, Tenant(0));
    }

    [Test]
    public async Task A_withdrawal_empties_its_slot_dooms_the_refresh_that_flies_there_and_leaves_the_others()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        BearerToken token = await FillAsync(cache, Tenant(0), refreshSeconds: 30);
        BearerToken other = await FillAsync(cache, Tenant(1));
        _bench.Hands.Advance(TimeSpan.FromSeconds(31));
        Assert.That(await Get(cache, Tenant(0)), Is.SameAs(token));
        Departure refresh = await _bench.DepartureAsync();
        cache.Withdraw(state => state.Without(token));
        Task<BearerToken> waiter = Get(cache, Tenant(0));
        Assert.That(refresh.Land(_bench), Is.Null);
        BearerToken? next = (await _bench.DepartureAsync()).Land(_bench, 600, 300);
        Assert.That(await waiter, Is.SameAs(next));
        Assert.That(await Get(cache, Tenant(1)), Is.SameAs(other));
    }

    [Test]
    public async Task A_policy_change_empties_all_and_dooms_what_flies()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        BearerToken a = await FillAsync(cache, Tenant(0));
        BearerToken b = await FillAsync(cache, Tenant(1));
        Task<BearerToken> waiter = Get(cache, Tenant(2));
        Departure doomed = await _bench.DepartureAsync();
        Assert.That(cache.Invalidate(), Is.EquivalentTo(new[] { a, b }));
        Assert.That(doomed.Land(_bench), Is.Null);
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task After_the_end_old_and_new_keys_answer_that_the_job_has_ended()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        await FillAsync(cache, Tenant(0));
        Task<BearerToken> waiter = Get(cache, Tenant(1));
        cache.End();
        foreach (Task<BearerToken> task in new[] { waiter, Get(cache, Tenant(0)), Get(cache, Tenant(1)), Get(cache, Tenant(2)) })
            Assert.That(Assert.CatchAsync<TokenExchangeException>(() => task)!.Code, Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That((await _bench.DepartureAsync()).Land(_bench), Is.Null);
        Assert.That(cache.Count, Is.EqualTo(2), "the new key has got no place");
    }

    /// <summary>As it is between the exchange that retires a slot and its removal from the map.</summary>
    private async Task RetireAsync(ExpiringCache<BearerToken> cache, CredentialRequest request)
    {
        Task<BearerToken> get = Get(cache, request);
        Departure departure = await _bench.DepartureAsync();
        departure.Land(_bench);
        await get;
        Assert.That(departure.Slot.TryRetire(departure.Slot.State), Is.True);
    }

    [Test]
    public void An_end_while_a_key_is_added_ends_the_new_slot()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        _bench.BeforeDeparture = cache.End;
        Assert.That(Assert.CatchAsync<TokenExchangeException>(() => Get(cache, Tenant(0)))!.Code, Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That(_bench.Started, Is.Zero);
    }

    [Test]
    public async Task Two_who_add_the_same_key_share_one_slot_and_one_flight()
    {
        var cache = new ExpiringCache<BearerToken>(_bench);
        Task<BearerToken>? winner = null;
        _bench.BeforeDeparture = () => winner = Get(cache, Tenant(0));
        Task<BearerToken> loser = Get(cache, Tenant(0));
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await loser, Is.SameAs(token));
        Assert.That(await winner!, Is.SameAs(token));
        Assert.That((_bench.Started, cache.Count), Is.EqualTo((1, 1)));
    }
}
