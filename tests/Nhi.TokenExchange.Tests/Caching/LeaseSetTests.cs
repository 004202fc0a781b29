namespace Nhi.TokenExchange.Tests.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class LeaseSetTests
{
    private readonly SlotBench _bench = new();
    private readonly List<Credential> _expired = [];
    private readonly List<Credential> _overdue = [];
    private readonly LeaseSet _leases;

    public LeaseSetTests() => _leases = new LeaseSet(_bench.Clock, _expired.Add, _overdue.Add);

    [Test]
    public void Registered_before_the_end_is_found_by_the_end()
    {
        BearerToken token = _bench.Token();
        _leases.Register(token);
        Assert.That(_leases.IsClosed, Is.False);
        _leases.Close();
        Assert.That(_leases.TakeAll(), Is.EqualTo(new[] { token }));
    }

    [Test]
    public void Registered_after_the_end_is_told_so_and_still_in_the_set()
    {
        _leases.Close();
        Assert.That(_leases.TakeAll(), Is.Empty);
        BearerToken token = _bench.Token();
        _leases.Register(token);
        Assert.That(_leases.IsClosed, Is.True);
        Assert.That(LeaseOwnership.TryTake(token), Is.True);
        Assert.That(_leases.TakeAll(), Is.Empty, "whoever came first ends it");
    }

    [Test]
    public void Each_lease_is_taken_once()
    {
        BearerToken[] tokens = [.. Enumerable.Range(0, 10).Select(_ => _bench.Token())];
        foreach (BearerToken token in tokens)
            _leases.Register(token);
        Assert.That(LeaseOwnership.TryTake(tokens[3]), Is.True);
        Assert.That(_leases.TakeAll(), Is.EquivalentTo(tokens.Except([tokens[3]])));
        Assert.That(_leases.TakeAll(), Is.Empty);
        Assert.That(tokens.Where(LeaseOwnership.TryTake), Is.Empty);
    }

    [Test]
    public void An_object_that_was_claimed_before_is_refused()
    {
        BearerToken token = _bench.Token();
        Assert.That(LeaseOwnership.TryClaim(token, default), Is.False);
    }

    [Test]
    public void Pruning_drops_the_dead_and_the_taken_and_keeps_the_living()
    {
        var living = new List<BearerToken>();
        for (int i = 0; i < 1000; i++)
        {
            BearerToken token = _bench.Token(i % 10 == 0 ? 1_000_000 : 5);
            if (i % 10 == 0)
                living.Add(token);
            _leases.Register(token);
            if (i % 10 == 1)
                LeaseOwnership.TryTake(token);
            _bench.Hands.Advance(TimeSpan.FromMilliseconds(200));
        }
        Assert.That(_expired, Has.Count.GreaterThan(600).And.Count.LessThanOrEqualTo(800).And.Unique);
        Assert.That(_expired.Intersect(living), Is.Empty);
        List<Credential> taken = _leases.TakeAll();
        Assert.That(taken, Is.SupersetOf(living));
        Assert.That(taken.Count + _expired.Count, Is.EqualTo(900), "each is accounted for by exactly one party");
    }

    [Test]
    public void A_lease_is_past_its_end_at_that_very_instant_of_both_hands_and_not_before()
    {
        BearerToken token = _bench.Token(60);
        _bench.Hands.Advance(TimeSpan.FromSeconds(60) - TimeSpan.FromMilliseconds(1));
        Assert.That(_leases.IsPastEnd(token), Is.False);
        _bench.Hands.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(_leases.IsPastEnd(token), Is.True);
    }

    [Test]
    public void A_lease_is_not_past_its_end_when_it_is_only_handed_out_no_more()
    {
        DateTimeOffset dies = _bench.Clock.Now + TimeSpan.FromSeconds(60);
        var token = new BearerToken("token", dies);
        LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = _bench.Clock.TickAfter(TimeSpan.FromSeconds(50)), WallEnd = _bench.Clock.WallSecondOf(dies - TimeSpan.FromSeconds(10)) });
        _bench.Hands.Suspend(TimeSpan.FromSeconds(10));   // by the wall it is sixty seconds on in a moment, by the other hand fifty
        _bench.Hands.Advance(TimeSpan.FromSeconds(50));
        Assert.That(_leases.IsPastEnd(token), Is.False, "its issuer's end is ten seconds after ours, by both hands");
        _bench.Hands.Advance(TimeSpan.FromSeconds(10));
        Assert.That(_leases.IsPastEnd(token), Is.True);
    }

    [Test]
    public void The_first_pruning_is_at_the_sixty_fourth_lease_and_the_next_when_what_lived_has_doubled()
    {
        Register(63, lifeSeconds: 1);
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        Assert.That(_expired, Is.Empty);
        Register(1, lifeSeconds: 1000);
        Assert.That(_expired, Has.Count.EqualTo(63));

        Register(62, lifeSeconds: 1000);
        Register(1, lifeSeconds: 1);   // the sixty-fourth again: 64 live
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        Register(63, lifeSeconds: 1000);
        Assert.That(_expired, Has.Count.EqualTo(63), "not at the hundred and twenty-seventh");
        Register(1, lifeSeconds: 1000);
        Assert.That(_expired, Has.Count.EqualTo(64));
    }

    [Test]
    public void A_pruning_keeps_what_stands_before_and_behind_a_dead_lease()
    {
        Register(1, lifeSeconds: 600);
        Register(1, lifeSeconds: 1);
        Register(61, lifeSeconds: 600);
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        Register(1, lifeSeconds: 600);
        Assert.That(_expired, Has.Count.EqualTo(1));
        Assert.That(_leases.TakeAll(), Has.Count.EqualTo(63));
    }

    [Test]
    public void A_lease_that_is_registered_while_one_prunes_is_left_for_the_next_pruning()
    {
        LeaseSet? leases = null;
        leases = new LeaseSet(_bench.Clock, lease =>
        {
            _expired.Add(lease);
            if (_expired.Count == 1)
                leases!.Register(_bench.Token(600));
        }, _overdue.Add);
        Register(63, lifeSeconds: 1, leases);
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        Register(1, lifeSeconds: 600, leases);
        Assert.That(_expired, Has.Count.EqualTo(63));

        Register(61, lifeSeconds: 1, leases);
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        Register(1, lifeSeconds: 600, leases);   // the sixty-fourth again: each that went was counted once
        Assert.That(_expired, Has.Count.EqualTo(63 + 61));
    }

    [TestCase(2000, true)]
    [TestCase(2001, false)]
    [TestCase(-2000, true)]
    [TestCase(-2001, false)]
    public void The_wall_was_kept_if_it_went_two_seconds_off_at_most(int milliseconds, bool isKept)
    {
        BearerToken token = _bench.Token(60);
        _bench.Hands.Advance(TimeSpan.FromSeconds(10));
        _bench.Hands.SetWall(_bench.Hands.GetUtcNow().AddMilliseconds(milliseconds));
        Assert.That(_leases.KeptTheWall(token), Is.EqualTo(isKept));
    }

    [Test]
    public void Of_what_was_decided_before_an_era_nothing_of_that_era_is()
    {
        BearerToken[] tokens = [.. Enumerable.Range(0, 3).Select(era => InEra(era))];
        foreach (BearerToken token in tokens)
            _leases.Register(token);
        Assert.That(_leases.LiveBefore(1), Is.EqualTo(tokens[..1]));
        Assert.That(_leases.LiveBefore(2), Is.EquivalentTo(tokens[..2]));
    }

    [Test]
    public void At_its_very_end_a_lease_is_not_counted_as_living()
    {
        _leases.Register(_bench.Token(60));
        _bench.Hands.Advance(TimeSpan.FromSeconds(60));
        Assert.That(_leases.CountLive(), Is.Empty);
    }

    [Test]
    public void What_stands_in_the_books_for_what_was_renewed_is_its_renewal_whatever_came_after()
    {
        BearerToken held = OneOf(1), renewed = OneOf(1), other = OneOf(2);
        foreach (BearerToken token in new[] { held, renewed, other })
            _leases.Register(token);
        Assert.That(_leases.Supersede(held, renewed), Is.SameAs(held));
        Assert.That((_leases.Newest(held), _leases.Newest(renewed), _leases.Newest(other)), Is.EqualTo(((Credential)renewed, (Credential)renewed, (Credential)other)));
    }

    [TestCase(1, "lease", true)]
    [TestCase(1, "other", false)]
    [TestCase(1, null, false)]
    [TestCase(2, "lease", false)]
    public void Two_objects_stand_for_one_thing_if_handle_and_secret_are_the_same(int number, string? handle, bool isTheSame) =>
        Assert.That(LeaseSet.IsTheSame(OneOf(1, "lease"), OneOf(number, handle)), Is.EqualTo(isTheSame));

    [Test]
    public void A_wall_clock_that_jumps_ahead_for_a_moment_forgets_no_lease()
    {
        for (int i = 0; i < 60; i++)
            _leases.Register(_bench.Token(600));
        _bench.Hands.Suspend(TimeSpan.FromDays(1));
        for (int i = 0; i < 60; i++)
            _leases.Register(_bench.Token(600));
        Assert.That(_expired, Is.Empty);
        Assert.That(_leases.TakeAll(), Has.Count.EqualTo(120));
    }

    [Test]
    public void A_lease_whose_end_is_uncertain_stays_until_somebody_takes_it()
    {
        BearerToken[] tokens = [.. Enumerable.Range(0, 63).Select(_ => _bench.Token(5, endIsUncertain: true))];
        foreach (BearerToken token in tokens)
            _leases.Register(token);
        _bench.Hands.Advance(TimeSpan.FromSeconds(10));
        _leases.Register(_bench.Token());
        Assert.That(_overdue, Is.EquivalentTo(tokens));
        Assert.That(_expired, Is.Empty);

        Assert.That(LeaseOwnership.TryTake(tokens[7]), Is.True, "whoever ends it takes it");
        Assert.That(_leases.TakeAll(), Is.SupersetOf(tokens.Where(token => token != tokens[7])).And.Not.Contains(tokens[7]));
    }

    [Test]
    public void Leases_at_an_uncertain_end_leave_the_chain_once_they_are_taken()
    {
        var leases = new LeaseSet(_bench.Clock, _expired.Add, overdue => Assert.That(LeaseOwnership.TryTake(overdue), Is.True, "each is told of once, if it is taken at once"));
        for (int i = 0; i < 1000; i++)
        {
            leases.Register(_bench.Token(5, endIsUncertain: true));
            _bench.Hands.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.That(_expired, Is.Empty);
        Assert.That(leases.TakeAll(), Has.Count.LessThan(200));
    }

    [Test]
    public void Under_threads_who_ends_a_lease_that_is_renewed_finds_it_or_its_renewal()
    {
        for (int round = 0; round < 2000; round++)
        {
            BearerToken held = OneOf(round), renewed = OneOf(round);
            _leases.Register(held);
            Credential? borrowed = null;
            using var barrier = new Barrier(2);
            Parallel.Invoke(
                () =>
                {
                    barrier.SignalAndWait();
                    _leases.Register(renewed);
                    _leases.Supersede(held, renewed);
                },
                () =>
                {
                    barrier.SignalAndWait();
                    Thread.SpinWait(round % 50);
                    borrowed = _leases.TryBorrowNewest(held);
                });
            Assert.That(borrowed, Is.SameAs(held).Or.SameAs(renewed), $"round {round}");
            Assert.That(_leases.TryBorrowNewest(held), Is.Null, "by one party");
        }
    }

    [Test]
    public void What_was_renewed_is_not_found_when_a_closing_has_taken_its_renewal()
    {
        BearerToken held = OneOf(1), renewed = OneOf(1);
        _leases.Register(held);
        _leases.Register(renewed);
        _leases.Supersede(held, renewed);
        Assert.That(_leases.TakeAll(), Is.EqualTo(new[] { renewed }));
        Assert.That(_leases.TryBorrowNewest(held), Is.Null);
    }

    [Test]
    public void Under_threads_a_closing_finds_what_is_renewed_or_its_renewal_and_never_both()
    {
        for (int round = 0; round < 2000; round++)
        {
            BearerToken held = OneOf(round, handle: "lease"), renewed = OneOf(round, handle: "lease");
            var leases = new LeaseSet(_bench.Clock, _expired.Add, _overdue.Add);
            leases.Register(held);
            List<Credential> taken = [];
            using var barrier = new Barrier(2);
            Parallel.Invoke(
                () =>
                {
                    barrier.SignalAndWait();
                    leases.Register(renewed);
                    if (leases.Supersede(held, renewed) is null)
                        LeaseOwnership.TryTake(renewed);   // it ends with what it renews
                },
                () =>
                {
                    barrier.SignalAndWait();
                    Thread.SpinWait(round % 50);
                    taken = leases.TakeAll();
                });
            taken.AddRange(leases.TakeAll(isLast: true));
            Assert.That(taken, Has.Count.EqualTo(1), $"round {round}");
        }
    }

    [Test]
    public void A_closing_between_the_coming_of_a_renewal_and_its_taking_the_place_leaves_out_what_it_renews()
    {
        BearerToken held = OneOf(1, handle: "lease"), renewed = OneOf(1, handle: "lease"), other = OneOf(2, handle: "other");
        foreach (BearerToken token in new[] { held, other, renewed })
            _leases.Register(token);

        Assert.That(_leases.TakeAll(), Is.EqualTo(new[] { renewed, other }));
        Assert.That((held.Lease.State, renewed.Lease.State), Is.EqualTo((LeaseState.Superseded, LeaseState.Taken)));
        Assert.That((_leases.Supersede(held, renewed), LeaseOwnership.TryTake(renewed), _leases.TryBorrowNewest(held)), Is.EqualTo(((Credential?)null, false, (Credential?)null)));
    }

    [Test]
    public void What_may_have_been_lengthened_is_not_taken_for_dead_and_what_is_past_its_end_or_taken_is_not_lengthened()
    {
        BearerToken lengthened = _bench.Token(5), left = _bench.Token(5), late = _bench.Token(5), taken = _bench.Token(5);
        foreach (BearerToken token in new[] { lengthened, left, late, taken })
            _leases.Register(token);
        Assert.That((_leases.TryLengthen(lengthened), _leases.TryLengthen(left)), Is.EqualTo((true, true)));
        LeaseSet.NotLengthened(left);
        Assert.That(LeaseOwnership.TryTake(taken), Is.True);
        Assert.That(_leases.TryLengthen(taken), Is.False, "somebody ends it");
        _bench.Hands.Advance(TimeSpan.FromSeconds(10));
        Assert.That(_leases.TryLengthen(late), Is.False, "it is dead");
        LeaseSet.NotLengthened(late);

        for (int i = 0; i < 64; i++)
            _leases.Register(_bench.Token(600));

        Assert.That(_expired, Is.EquivalentTo(new[] { left, late }));
        Assert.That(_overdue, Is.EqualTo(new[] { lengthened }));
    }

    [Test]
    public void A_closing_in_the_middle_of_a_pruning_misses_nothing()
    {
        // The pruner tells of a dead lease from the middle of its walk: there the job ends.
        List<Credential>? taken = null;
        LeaseSet? leases = null;
        leases = new LeaseSet(_bench.Clock, _ =>
        {
            leases!.Close();
            taken ??= leases.TakeAll();
        }, _ => { });
        var living = new List<BearerToken>();
        for (int i = 0; i < 63; i++)
        {
            BearerToken token = _bench.Token(i == 30 ? 1 : 600);
            if (i != 30)
                living.Add(token);
            leases.Register(token);
        }
        _bench.Hands.Advance(TimeSpan.FromSeconds(2));
        BearerToken last = _bench.Token(600);
        leases.Register(last);
        Assert.That(leases.IsClosed, Is.True);
        Assert.That(taken, Is.EquivalentTo(living.Append(last)));
    }

    [Test]
    public void Closing_waits_for_the_flights_in_the_air()
    {
        Assert.That(_leases.TakeOff(), Is.True);
        _leases.Close();
        Assert.That(_leases.Drained.IsCompleted, Is.False);
        Assert.That(_leases.TakeOff(), Is.False, "a late flight is told");
        _leases.TouchDown();
        Assert.That(_leases.Drained.IsCompleted, Is.False);
        _leases.TouchDown();
        Assert.That(_leases.Drained.IsCompleted, Is.True);
        _leases.Close();
    }

    [Test]
    public void With_nothing_in_the_air_closing_is_drained_at_once()
    {
        _leases.Close();
        Assert.That(_leases.Drained.IsCompleted, Is.True);
    }

    [Test]
    public void Under_threads_every_lease_is_ended_by_exactly_one_party()
    {
        for (int round = 0; round < 30; round++)
        {
            int expired = 0, own = 0;
            var leases = new LeaseSet(_bench.Clock, _ => Interlocked.Increment(ref expired), _ => { });
            var all = new List<Credential>();
            using var barrier = new Barrier(4);
            Parallel.Invoke(Registrar, Registrar, Registrar, () =>
            {
                barrier.SignalAndWait();
                Thread.SpinWait(round * 1000);
                leases.Close();
                lock (all)
                    all.AddRange(leases.TakeAll());
            });
            all.AddRange(leases.TakeAll());
            Assert.That(all.Count + expired + own, Is.EqualTo(3 * 400));
            Assert.That(all, Is.Unique);

            void Registrar()
            {
                barrier.SignalAndWait();
                for (int i = 0; i < 400; i++)
                {
                    BearerToken token = _bench.Token(i % 3 == 0 ? -1 : 600);
                    leases.Register(token);
                    if (leases.IsClosed && LeaseOwnership.TryTake(token))
                        Interlocked.Increment(ref own);
                }
            }
        }
    }

    // The same secret: one thing at its issuer.
    private BearerToken OneOf(int number, string? handle = null)
    {
        var token = new BearerToken($"thing{number}", _bench.Clock.Now.AddMinutes(1));
        Assert.That(LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = _bench.Clock.TickAfter(TimeSpan.FromMinutes(1)), WallEnd = _bench.Clock.WallSecondOf(token.ExpiresAt), Handle = handle }), Is.True);
        return token;
    }

    [Test]
    public void What_is_put_back_after_the_closing_is_found_by_the_next_taking_and_after_the_last_one_by_nobody()
    {
        BearerToken early = _bench.Token(600), late = _bench.Token(600);
        _leases.Register(early);
        _leases.Register(late);
        Assert.That(LeaseOwnership.TryBorrow(early) && LeaseOwnership.TryBorrow(late), Is.True);
        _leases.Close();
        Assert.That(_leases.TakeAll(), Is.Empty);

        Assert.That(_leases.PutBack(early), Is.True);
        Assert.That(_leases.TakeAll(isLast: true), Is.EqualTo(new[] { early }));
        Assert.That(_leases.PutBack(late), Is.False);
        Assert.That(LeaseOwnership.TryTake(late), Is.False, "it is the borrower's");
    }

    [Test]
    public void Under_threads_what_is_put_back_is_ended_by_exactly_one_party()
    {
        for (int round = 0; round < 200; round++)
        {
            int own = 0;
            var leases = new LeaseSet(_bench.Clock, _ => { }, _ => { });
            BearerToken[] tokens = [.. Enumerable.Range(0, 40).Select(_ => _bench.Token(600))];
            foreach (BearerToken token in tokens)
                leases.Register(token);
            var all = new List<Credential>();
            using var barrier = new Barrier(3);
            Parallel.Invoke(Borrower, Borrower, () =>
            {
                barrier.SignalAndWait();
                leases.Close();
                all.AddRange(leases.TakeAll());
                all.AddRange(leases.TakeAll(isLast: true));
            });
            Assert.That(all.Count + own, Is.EqualTo(40));
            Assert.That(all, Is.Unique);

            void Borrower()
            {
                barrier.SignalAndWait();
                foreach (BearerToken token in tokens)
                {
                    if (LeaseOwnership.TryBorrow(token) && !leases.PutBack(token))
                        Interlocked.Increment(ref own);
                }
            }
        }
    }

    private void Register(int count, double lifeSeconds, LeaseSet? leases = null)
    {
        for (int i = 0; i < count; i++)
            (leases ?? _leases).Register(_bench.Token(lifeSeconds));
    }

    private BearerToken InEra(int era)
    {
        BearerToken token = OneOf(era);
        token.Lease.Origin = new LeaseOrigin(null!, null!, null!, era);
        return token;
    }
}
