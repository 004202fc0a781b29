namespace Nhi.TokenExchange.Tests.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class ExpiringSlotTests
{
    private readonly SlotBench _bench;
    private readonly ExpiringSlot<BearerToken> _slot;

    public ExpiringSlotTests()
    {
        _bench = new SlotBench();
        _slot = new ExpiringSlot<BearerToken>(_bench);
    }

    private Task<BearerToken> Get() => _slot.GetAsync(null, CancellationToken.None).AsTask();

    private TokenExchangeException Refusal() => Assert.CatchAsync<TokenExchangeException>(Get)!;

    private void Advance(double seconds) => _bench.Hands.Advance(TimeSpan.FromSeconds(seconds));

    [Test]
    public async Task What_TryGet_refuses_it_does_not_show()
    {
        await _bench.FillAsync(_slot);
        Advance(61);
        Assert.That(_slot.TryGet(out BearerToken? dead), Is.False);
        Assert.That(dead, Is.Null);
    }

    [Test]
    public async Task When_the_refresh_is_due_the_old_one_is_served_at_once_and_one_flight_starts()
    {
        BearerToken old = await _bench.FillAsync(_slot);
        Advance(30);
        Assert.That(_slot.TryGet(out _), Is.False, "the one hit that must look again");
        ValueTask<BearerToken> get = _slot.GetAsync(null, CancellationToken.None);
        Assert.That(get.IsCompletedSuccessfully, Is.True);
        Assert.That(await get, Is.SameAs(old));
        for (int i = 0; i < 100; i++)
            Assert.That(_slot.TryGet(out BearerToken? hit) && ReferenceEquals(hit, old), Is.True, "while it flies a hit is a hit");
        Departure refresh = await _bench.DepartureAsync();
        Assert.That(refresh.Flight.IsRefresh, Is.True);
        BearerToken? token = refresh.Land(_bench);
        Assert.That(await Get(), Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(2));
    }

    [Test]
    public async Task A_failing_refresh_never_takes_a_valid_credential_away_and_backs_off()
    {
        BearerToken old = await _bench.FillAsync(_slot, lifeSeconds: 600, refreshSeconds: 300);
        Advance(300);
        for (int second = 0; second < 290; second++)
        {
            Assert.That(await Get(), Is.SameAs(old));
            if (_slot.State.Flight is not null)
                (await _bench.DepartureAsync()).Fail();
            Advance(1);
        }
        // 0.5, 1, 2, 4, 8, 16, 30, 30 … s between tries: 13 of them in 290 s.
        Assert.That(_bench.Started - 1, Is.InRange(8, 16));
    }

    [Test]
    public async Task A_failure_is_remembered_and_waits_twice_as_long_each_time()
    {
        double expected = 0.5;
        for (int attempt = 1; attempt <= 9; attempt++)
        {
            Task<BearerToken> get = Get();
            (await _bench.DepartureAsync()).Fail();
            Assert.CatchAsync<TokenExchangeException>(() => get);
            TokenExchangeException remembered = Refusal();
            Assert.That(remembered.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(expected)));
            Assert.That(remembered.Message, Does.Contain("Next try in"));
            Assert.That(_bench.Started, Is.EqualTo(attempt));
            Advance(expected - 0.001);
            Refusal();
            Assert.That(_bench.Started, Is.EqualTo(attempt), "not yet");
            Advance(0.001);
            expected = Math.Min(30, expected * 2);
        }
    }

    [Test]
    public async Task Success_forgets_the_failures()
    {
        for (int i = 0; i < 3; i++)
        {
            Task<BearerToken> failing = Get();
            (await _bench.DepartureAsync()).Fail();
            Assert.CatchAsync<TokenExchangeException>(() => failing);
            Advance(5);
        }
        BearerToken token = await _bench.FillAsync(_slot);
        Assert.That(_slot.State.Failure, Is.Null);
        _slot.Reject(token);
        Task<BearerToken> get = Get();
        (await _bench.DepartureAsync()).Fail();
        Assert.CatchAsync<TokenExchangeException>(() => get);
        Assert.That(Refusal().RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(0.5)));
    }

    [TestCase(59.999, true)]
    [TestCase(60, false)]
    public async Task That_the_target_refused_the_one_before_is_remembered_beside_its_successor_for_a_minute(double seconds, bool isRemembered)
    {
        _slot.Reject(await _bench.FillAsync(_slot));
        Task<BearerToken> get = Get();
        Departure departure = await _bench.DepartureAsync();
        Advance(seconds);
        BearerToken? token = departure.Land(_bench);
        Assert.That(await get, Is.SameAs(token));
        Assert.That(_slot.State.Failure is { IsRefusal: true }, Is.EqualTo(isRemembered));
    }

    [Test]
    public async Task A_refresh_that_failed_holds_nobody_back_once_what_was_held_is_dead()
    {
        BearerToken held = await _bench.FillAsync(_slot, lifeSeconds: 60, refreshSeconds: 58.8);
        Advance(58.8);
        Assert.That(await Get(), Is.SameAs(held));
        (await _bench.DepartureAsync()).Fail();
        Assert.That(await Get(), Is.SameAs(held));
        Assert.That(_bench.Started, Is.EqualTo(2), "half a second is to be waited");
        Advance(0.3);
        Task<BearerToken> get = Get();
        Assert.That(_bench.Started, Is.EqualTo(3));
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await get, Is.SameAs(token));
    }

    [Test]
    public async Task Who_waits_for_a_refresh_that_fails_is_told_and_starts_no_other()
    {
        await _bench.FillAsync(_slot);
        Advance(31);
        await Get();
        Departure refresh = await _bench.DepartureAsync();
        Advance(30);
        Task<BearerToken> waiter = Get();
        Assert.That(waiter.IsCompleted, Is.False, "what was held is dead");
        refresh.Fail();
        Assert.CatchAsync<TokenExchangeException>(() => waiter.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.That(_bench.Started, Is.EqualTo(2));
    }

    [Test]
    public async Task What_its_issuer_lengthens_no_more_is_served_on_and_replaced_by_the_next_call()
    {
        BearerToken held = await _bench.FillAsync(_slot);
        Advance(31);
        await Get();
        Departure renewal = await _bench.DepartureAsync();
        Assert.That(renewal.Flight.Aim, Is.EqualTo(FlightAim.RenewOrReplace));
        renewal.Fail(Renewals.NoMore("warehouse"));
        Assert.That(await Get(), Is.SameAs(held));
        Flight next = (await _bench.DepartureAsync()).Flight;
        Assert.That((next.Aim, next.Held, next.After), Is.EqualTo((FlightAim.Replace, (Credential)held, (FlightFailure?)null)));
    }

    [Test]
    public async Task Nobody_waits_for_what_its_issuer_ends_sooner_than_was_known()
    {
        for (int i = 1; i <= 3; i++)
        {
            Assert.That(_slot.Reject(await _bench.FillAsync(_slot), endsSooner: true), Is.True);
            Assert.That((_slot.State.Current, _slot.State.Failure, _bench.Started), Is.EqualTo(((BearerToken?)null, (FlightFailure?)null, i)));
        }
    }

    [Test]
    public async Task Neither_a_slot_with_a_flight_nor_one_whose_job_is_over_is_retired()
    {
        Task<BearerToken> get = Get();
        Departure departure = await _bench.DepartureAsync();
        Assert.That(_slot.TryRetire(_slot.State), Is.False);
        BearerToken? token = departure.Land(_bench);
        Assert.That(await get, Is.SameAs(token));
        _slot.End();
        Assert.That(_slot.TryRetire(_slot.State), Is.False);
        Assert.That(Refusal().Code, Is.EqualTo(ErrorCodes.JobEnded));
    }

    [Test]
    public async Task Where_nothing_flies_there_is_no_flight_to_doom()
    {
        SlotState<BearerToken> empty = _slot.State;
        Assert.That(empty.WithoutFlight(), Is.SameAs(empty));
        BearerToken held = await _bench.FillAsync(_slot);
        SlotState<BearerToken> filled = _slot.State;
        Assert.That(filled.WithoutFlight(), Is.SameAs(filled));

        Advance(31);
        await Get();
        _slot.Withdraw(state => state.WithoutFlight());
        Assert.That((_slot.State.Mark, _slot.State.Current), Is.EqualTo((SlotMark.Doomed, held)));

        _slot.End();
        _slot.Withdraw(state => state.WithoutFlight());
        Assert.That(Refusal().Code, Is.EqualTo(ErrorCodes.JobEnded), "nothing leads back from the end");
    }

    [Test]
    public async Task What_is_withdrawn_beside_no_flight_leaves_an_empty_slot()
    {
        BearerToken held = await _bench.FillAsync(_slot);
        _slot.Withdraw(state => state.Without(held));
        Assert.That((_slot.State.Mark, _slot.State.Current), Is.EqualTo((SlotMark.None, (BearerToken?)null)));
    }

    [Test]
    public async Task Retry_After_is_honoured_spread_by_the_jitter_and_bounded()
    {
        _bench.JitterValue = 0.5;
        Task<BearerToken> get = Get();
        (await _bench.DepartureAsync()).Fail(SlotBench.Trouble(TimeSpan.FromSeconds(40)));
        Assert.CatchAsync<TokenExchangeException>(() => get);
        Assert.That(Refusal().RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(42)));
        Advance(42);
        get = Get();
        (await _bench.DepartureAsync()).Fail(SlotBench.Trouble(TimeSpan.FromDays(400)));
        Assert.CatchAsync<TokenExchangeException>(() => get);
        Assert.That(Refusal().RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(315)));
    }

    [Test]
    public async Task Each_caller_gets_an_exception_of_its_own_with_the_cause_inside()
    {
        Task<BearerToken>[] callers = [.. Enumerable.Range(0, 20).Select(_ => Get())];
        TokenExchangeException cause = SlotBench.Trouble();
        (await _bench.DepartureAsync()).Fail(cause);
        var seen = new HashSet<Exception>(ReferenceEqualityComparer.Instance);
        foreach (Task<BearerToken> caller in callers)
        {
            TokenExchangeException own = Assert.CatchAsync<TokenExchangeException>(() => caller)!;
            Assert.That(seen.Add(own), Is.True);
            Assert.That(own.InnerException, Is.SameAs(cause));
            Assert.That((own.Code, own.IsTransient), Is.EqualTo((cause.Code, true)));
        }
        Assert.That(seen.Add(Refusal()), Is.True);
    }

    [Test]
    public async Task A_denial_holds_until_the_policy_changes()
    {
        Task<BearerToken> get = Get();
        (await _bench.DepartureAsync()).Fail(new AccessDeniedException("night", "no") { IsOfThePolicy = true });
        Assert.CatchAsync<AccessDeniedException>(() => get);
        _bench.Hands.Advance(TimeSpan.FromDays(100));
        Assert.That(Refusal(), Is.TypeOf<AccessDeniedException>().With.Property("RetryAfter").Null);
        Assert.That(_bench.Started, Is.EqualTo(1));
        _slot.Invalidate();
        await _bench.FillAsync(_slot);
    }

    [Test]
    public async Task A_denied_refresh_ends_what_is_held_and_names_it()
    {
        BearerToken held = await _bench.FillAsync(_slot);
        Advance(31);
        await Get();
        Assert.That((await _bench.DepartureAsync()).Fail(new AccessDeniedException("night", "no") { IsOfThePolicy = true }), Is.SameAs(held));
        Assert.That(_slot.TryGet(out _), Is.False);
        Assert.That(Refusal(), Is.TypeOf<AccessDeniedException>());
    }

    [Test]
    public async Task A_failed_refresh_takes_nothing_away_to_be_ended()
    {
        await _bench.FillAsync(_slot);
        Advance(31);
        await Get();
        Assert.That((await _bench.DepartureAsync()).Fail(), Is.Null);
    }

    [Test]
    public async Task After_the_end_nothing_is_handed_out_and_waiters_are_woken_though_the_flight_is_in_the_air()
    {
        Task<BearerToken> waiter = Get();
        Departure departure = await _bench.DepartureAsync();
        _slot.End();
        Assert.That(Assert.CatchAsync<TokenExchangeException>(() => waiter)!.Code, Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That(departure.Land(_bench), Is.Null);
        departure.Fail();
        Assert.That(_slot.Invalidate(), Is.Null);
        Assert.That(Refusal().Code, Is.EqualTo(ErrorCodes.JobEnded));
        _slot.End();
    }

    [Test]
    public void A_cancelled_caller_starts_no_flight()
    {
        Assert.CatchAsync<OperationCanceledException>(() => _slot.GetAsync(null, new CancellationToken(canceled: true)).AsTask());
        Assert.That(_bench.Started, Is.Zero);
    }

    [Test]
    public async Task A_hit_completes_synchronously_and_allocates_nothing()
    {
        await _bench.FillAsync(_slot);
        for (int i = 0; i < 200; i++)
            _slot.TryGet(out _);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
            _slot.TryGet(out _);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
