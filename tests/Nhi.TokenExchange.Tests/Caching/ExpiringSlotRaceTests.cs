namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>The ten arguments of the slot's comment, each as an order of steps that is played on purpose.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class ExpiringSlotRaceTests
{
    private readonly SlotBench _bench;
    private readonly ExpiringSlot<BearerToken> _slot;

    public ExpiringSlotRaceTests()
    {
        _bench = new SlotBench();
        _slot = new ExpiringSlot<BearerToken>(_bench);
    }

    private Task<BearerToken> Get(CancellationToken cancellationToken = default) => _slot.GetAsync(null, cancellationToken).AsTask();

    private static string CodeOf(Task task) => ((TokenExchangeException)Assert.CatchAsync(() => task)!).Code;

    [Test]
    public async Task Race_1_who_loses_the_departure_joins_the_winner()
    {
        Task<BearerToken>? winner = null;
        _bench.BeforeDeparture = () => winner = Get();
        Task<BearerToken> loser = Get();
        Departure departure = await _bench.DepartureAsync();
        BearerToken? token = departure.Land(_bench);
        Assert.That(await loser, Is.SameAs(token));
        Assert.That(await winner!, Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(1));
    }

    [Test]
    public async Task Race_1_a_doomed_flight_keeps_its_place_until_it_lands()
    {
        Task<BearerToken> first = Get();
        Departure doomed = await _bench.DepartureAsync();
        _slot.Invalidate();
        Task<BearerToken> second = Get();
        _slot.Invalidate();
        Assert.That(_bench.Started, Is.EqualTo(1));
        Assert.That(doomed.Land(_bench), Is.Null);
        Departure next = await _bench.DepartureAsync();
        BearerToken? token = next.Land(_bench);
        Assert.That(await first, Is.SameAs(token));
        Assert.That(await second, Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(2));
    }

    [Test]
    public async Task Race_2_a_flight_that_lands_after_the_end_is_told_and_its_lease_is_in_the_set()
    {
        var leases = new LeaseSet(_bench.Clock, _ => { }, _ => { });
        Task<BearerToken> waiter = Get();
        Departure departure = await _bench.DepartureAsync();
        BearerToken token = _bench.Token();
        leases.Register(token);
        leases.Close();
        _slot.End();
        Assert.That(departure.Slot.TryLand(departure.Flight, token, _bench.RefreshTick(30)), Is.False);
        Assert.That(CodeOf(waiter), Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That(_slot.TryGet(out _), Is.False);
        Assert.That(leases.TakeAll(), Is.EqualTo(new[] { token }));
        Assert.That(LeaseOwnership.TryTake(token), Is.False, "the flight finds that somebody else ends it");
    }

    [Test]
    public async Task Race_2_an_end_right_after_the_landing_finds_the_lease()
    {
        var leases = new LeaseSet(_bench.Clock, _ => { }, _ => { });
        Task<BearerToken> waiter = Get();
        Departure departure = await _bench.DepartureAsync();
        BearerToken token = _bench.Token();
        leases.Register(token);
        Assert.That(departure.Slot.TryLand(departure.Flight, token, _bench.RefreshTick(30)), Is.True);
        leases.Close();
        _slot.End();
        Assert.That(leases.TakeAll(), Is.EqualTo(new[] { token }));
        Assert.That(_slot.TryGet(out _), Is.False);
        Assert.That(CodeOf(Get()), Is.EqualTo(ErrorCodes.JobEnded));
        await waiter.ContinueWith(_ => { }, TaskScheduler.Default);   // the credential or JobEnded, by when it woke: never lost
    }

    [Test]
    public void Race_3_of_all_who_try_to_end_a_lease_one_wins()
    {
        for (int round = 0; round < 200; round++)
        {
            BearerToken token = _bench.Token();
            int winners = 0;
            Parallel.For(0, 4, _ =>
            {
                if (LeaseOwnership.TryTake(token))
                    Interlocked.Increment(ref winners);
            });
            Assert.That(winners, Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Race_4_ten_rejections_of_one_credential_cause_one_flight()
    {
        BearerToken old = await _bench.FillAsync(_slot);
        bool[] rejected = [.. Enumerable.Range(0, 10).Select(_ => _slot.Reject(old))];
        Task<BearerToken>[] gets = [.. Enumerable.Range(0, 10).Select(_ => Get())];
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await Task.WhenAll(gets), Is.All.SameAs(token));
        Assert.That(rejected.Count(yes => yes), Is.EqualTo(1));
        Assert.That(_bench.Started, Is.EqualTo(2));
        Assert.That(_slot.Reject(old), Is.False, "a newer one is there");
        Assert.That(_slot.TryGet(out BearerToken? current) && ReferenceEquals(current, token), Is.True);
    }

    [Test]
    public async Task Race_4_a_rejection_while_a_refresh_flies_starts_no_other_flight()
    {
        BearerToken old = await _bench.FillAsync(_slot);
        _bench.Hands.Advance(TimeSpan.FromSeconds(31));
        Assert.That(await Get(), Is.SameAs(old));
        Departure refresh = await _bench.DepartureAsync();
        Assert.That(_slot.Reject(old), Is.True);
        Task<BearerToken> waiter = Get();
        Assert.That(waiter.IsCompleted, Is.False);
        BearerToken? token = refresh.Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(2));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Race_7_what_is_withdrawn_while_its_refresh_flies_does_not_come_back_with_it(bool isRejectedBefore)
    {
        BearerToken old = await _bench.FillAsync(_slot);
        _bench.Hands.Advance(TimeSpan.FromSeconds(31));
        Assert.That(await Get(), Is.SameAs(old));
        Departure refresh = await _bench.DepartureAsync();
        if (isRejectedBefore)
            _slot.Reject(old);
        _slot.Withdraw(state => state.Without(old));
        Task<BearerToken> waiter = Get();
        Assert.That(refresh.Land(_bench), Is.Null, "it may be the same, renewed");
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_7_a_flight_that_replaces_nothing_is_not_in_the_way_of_a_withdrawal()
    {
        BearerToken old = await _bench.FillAsync(_slot);
        _slot.Reject(old);
        Task<BearerToken> waiter = Get();
        Departure next = await _bench.DepartureAsync();
        _slot.Withdraw(state => state.Without(old));
        BearerToken? token = next.Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_5_the_empty_state_that_comes_back_is_departed_from_once()
    {
        Departure? between = null;
        _bench.BeforeDeparture = () =>
        {
            using var givesUp = new CancellationTokenSource();
            Task<BearerToken> other = Get(givesUp.Token);
            between = _bench.DepartureAsync().GetAwaiter().GetResult();
            _slot.Invalidate();
            givesUp.Cancel();   // else it would ask again as soon as its flight has landed, and depart before we looked
            Assert.That(() => other, Throws.InstanceOf<OperationCanceledException>());
            Assert.That(between.Land(_bench), Is.Null);
            Assert.That(_slot.State, Is.SameAs(SlotState<BearerToken>.Empty), "the very object that the departing caller read");
        };
        Task<BearerToken> caller = Get();
        Departure departure = await _bench.DepartureAsync();
        BearerToken? token = departure.Land(_bench);
        Assert.That(await caller, Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(2), "one for each, one after the other");
    }

    [Test]
    public async Task Race_6_a_waiter_does_not_trust_what_died_before_it_woke()
    {
        Task<BearerToken> waiter = Get();
        Departure late = await _bench.DepartureAsync();
        BearerToken dead = _bench.Token(10);
        _bench.Hands.Advance(TimeSpan.FromSeconds(11));
        Assert.That(late.Slot.TryLand(late.Flight, dead, _bench.RefreshTick(5)), Is.True);
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_6_a_waiter_asks_the_wall_hand_too()
    {
        Task<BearerToken> waiter = Get();
        Departure late = await _bench.DepartureAsync();
        BearerToken dead = _bench.Token(10);
        _bench.Hands.Suspend(TimeSpan.FromSeconds(11));
        _bench.Hands.Advance(TimeSpan.FromMilliseconds(1));
        late.Slot.TryLand(late.Flight, dead, _bench.RefreshTick(5));
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_7_who_asks_after_a_policy_change_gets_only_what_was_decided_after_it()
    {
        BearerToken old = await _bench.FillAsync(_slot);
        _bench.Hands.Advance(TimeSpan.FromSeconds(31));
        await Get();
        Departure oldRefresh = await _bench.DepartureAsync();
        Assert.That(_slot.Invalidate(), Is.SameAs(old));
        Assert.That(_slot.TryGet(out _), Is.False);
        Task<BearerToken> after = Get();
        Assert.That(oldRefresh.Land(_bench), Is.Null, "the flight ends its own lease");
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await after, Is.SameAs(token));
    }

    [Test]
    public async Task Race_7_a_doomed_flight_that_fails_says_nothing_about_the_new_policy()
    {
        Task<BearerToken> waiter = Get();
        Departure doomed = await _bench.DepartureAsync();
        _slot.Invalidate();
        doomed.Fail(new AccessDeniedException("old", "no") { IsOfThePolicy = true });
        Departure next = await _bench.DepartureAsync();
        Assert.That((next.Flight.Aim, next.Flight.After), Is.EqualTo((FlightAim.RenewOrReplace, (FlightFailure?)null)));
        BearerToken? token = next.Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_7_a_policy_change_between_a_landings_look_and_its_exchange_wins()
    {
        var time = new HookedTime(new ManualTimeProvider());
        var bench = new SlotBench(time);
        var slot = new ExpiringSlot<BearerToken>(bench);
        Task<BearerToken> waiter = slot.GetAsync(null, CancellationToken.None).AsTask();
        Departure departure = await bench.DepartureAsync();
        BearerToken old = bench.Token();
        long refresh = bench.RefreshTick(30);
        time.WhenRead = () => slot.Invalidate();
        Assert.That(slot.TryLand(departure.Flight, old, refresh), Is.False, "the flight ends its own lease");
        BearerToken? token = (await bench.DepartureAsync()).Land(bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_7_a_policy_change_between_a_failures_look_and_its_exchange_wins()
    {
        Task<BearerToken> waiter = Get();
        Departure departure = await _bench.DepartureAsync();
        _bench.BeforeFailure = () => _slot.Invalidate();
        departure.Fail(new AccessDeniedException("old", "no") { IsOfThePolicy = true });
        BearerToken? token = (await _bench.DepartureAsync()).Land(_bench);
        Assert.That(await waiter, Is.SameAs(token));
    }

    [Test]
    public async Task Race_8_who_looked_before_the_landing_and_departs_after_it_finds_the_result()
    {
        BearerToken? token = null;
        _bench.BeforeDeparture = () =>
        {
            _ = Get();
            token = _bench.DepartureAsync().GetAwaiter().GetResult().Land(_bench);
        };
        Assert.That(await Get(), Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(1));
    }

    [Test]
    public async Task Race_9_a_caller_that_gives_up_leaves_the_flight_to_the_others()
    {
        using var impatience = new CancellationTokenSource();
        Task<BearerToken> starter = Get(impatience.Token);
        Departure departure = await _bench.DepartureAsync();
        Task<BearerToken> other = Get();
        await impatience.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => starter);
        BearerToken? token = departure.Land(_bench);
        Assert.That(await other, Is.SameAs(token));
        Assert.That(_bench.Started, Is.EqualTo(1));
    }

    [Test]
    public async Task Race_9_when_all_give_up_the_result_still_serves_the_next()
    {
        using var impatience = new CancellationTokenSource();
        Task<BearerToken>[] callers = [.. Enumerable.Range(0, 5).Select(_ => Get(impatience.Token))];
        Departure departure = await _bench.DepartureAsync();
        await impatience.CancelAsync();
        foreach (Task<BearerToken> caller in callers)
            Assert.CatchAsync<OperationCanceledException>(() => caller);
        BearerToken? token = departure.Land(_bench);
        Assert.That(await Get(), Is.SameAs(token));
    }

    [Test]
    public async Task Race_10_a_flight_that_asks_for_its_own_credential_gets_an_error()
    {
        _ = Get();
        Departure departure = await _bench.DepartureAsync();
        Assert.That(CodeOf(InFlight(departure, _slot)), Is.EqualTo(ErrorCodes.ReentrantExchange));
    }

    [Test]
    public async Task Race_10_a_ring_of_flights_that_others_started_is_seen()
    {
        var lake = new ExpiringSlot<BearerToken>(_bench);
        Task<BearerToken> one = Get();
        Departure first = await _bench.DepartureAsync();
        Task<BearerToken> two = lake.GetAsync(null, CancellationToken.None).AsTask();
        Departure second = await _bench.DepartureAsync();
        Task<BearerToken> waits = InFlight(first, lake);
        Assert.That(waits.IsCompleted, Is.False);
        Assert.That(CodeOf(InFlight(second, _slot)), Is.EqualTo(ErrorCodes.ReentrantExchange));
        BearerToken? token = second.Land(_bench);
        Assert.That(await waits, Is.SameAs(token));
        first.Land(_bench);
        await Task.WhenAll(one, two);
    }

    [Test]
    public async Task Race_10_a_wait_that_was_given_up_closes_no_ring()
    {
        var lake = new ExpiringSlot<BearerToken>(_bench);
        _ = Get();
        Departure first = await _bench.DepartureAsync();
        _ = lake.GetAsync(null, CancellationToken.None).AsTask();
        Departure second = await _bench.DepartureAsync();
        using var impatience = new CancellationTokenSource();
        Task<BearerToken> given = InFlight(first, lake, impatience.Token);
        await impatience.CancelAsync();
        Assert.CatchAsync<OperationCanceledException>(() => given);
        Task<BearerToken> waits = InFlight(second, _slot);
        BearerToken? token = first.Land(_bench);
        Assert.That(await waits, Is.SameAs(token));
    }

    [Test]
    public async Task Race_10_a_refresh_that_was_started_inside_a_flight_may_wait_for_it()
    {
        var lake = new ExpiringSlot<BearerToken>(_bench);
        BearerToken held = await _bench.FillAsync(lake);
        _bench.Hands.Advance(TimeSpan.FromSeconds(31));
        _ = Get();
        Departure first = await _bench.DepartureAsync();
        Assert.That(await InFlight(first, lake), Is.SameAs(held), "served, and its refresh started, from inside the flight");
        Departure refresh = await _bench.DepartureAsync();
        Task<BearerToken> waits = InFlight(refresh, _slot);
        Assert.That(waits.IsCompleted, Is.False);
        BearerToken? token = first.Land(_bench);
        Assert.That(await waits, Is.SameAs(token));
    }

    private static async Task<BearerToken> InFlight(Departure departure, ExpiringSlot<BearerToken> asked, CancellationToken cancellationToken = default)
    {
        departure.Flight.Enter();
        return await asked.GetAsync(null, cancellationToken);
    }
}
