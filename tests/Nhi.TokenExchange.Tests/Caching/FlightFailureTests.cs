namespace Nhi.TokenExchange.Tests.Caching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class FlightFailureTests
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly ManualTimeProvider _time = new();
    private readonly AgreedClock _clock;

    public FlightFailureTests() => _clock = new AgreedClock(_time);

    [TestCase("The issuer is down.", "The issuer is down. Next try in 0.5 s.")]
    [TestCase("The issuer is down", "The issuer is down. Next try in 0.5 s.")]
    public void What_failed_in_passing_says_when_the_next_try_is(string detail, string said)
    {
        TokenExchangeException told = Failure(detail, isTransient: true).ToException(_clock);

        Assert.That(told.Detail, Is.EqualTo(said));
        Assert.That(told.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(0.5)));
    }

    [Test]
    public void What_only_a_change_cures_says_how_long_the_answer_is_kept_and_sends_nobody_to_try_again()
    {
        TokenExchangeException told = Failure("The issuer refuses the proof.", isTransient: false).ToException(_clock);

        Assert.That(told.Detail, Is.EqualTo("The issuer refuses the proof. This answer is kept for 0.5 s."));
        Assert.That(told.RetryAfter, Is.Null);
    }

    [Test]
    public void Each_caller_gets_an_exception_of_his_own_with_what_is_left_of_the_wait()
    {
        FlightFailure failure = Failure("The issuer is down.", isTransient: true);
        TokenExchangeException first = failure.ToException(_clock);
        _time.Advance(TimeSpan.FromMilliseconds(400));
        TokenExchangeException second = failure.ToException(_clock);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.That(second, Is.Not.SameAs(first));
        Assert.That(second.RetryAfter, Is.EqualTo(TimeSpan.FromSeconds(0.1)));
        Assert.That(failure.ToException(_clock).RetryAfter, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void Until_the_next_try_is_what_is_left_of_the_wait_and_then_nothing()
    {
        FlightFailure failure = Failure("The issuer is down.", isTransient: true);

        Assert.That(failure.NextTryIn(_clock.Tick + 100, isHeld: false), Is.EqualTo(TimeSpan.FromMilliseconds(400)));
        Assert.That(failure.NextTryIn(_clock.Tick + 499, isHeld: false), Is.EqualTo(TimeSpan.FromMilliseconds(1)));
        Assert.That(failure.NextTryIn(_clock.Tick + 500, isHeld: false), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void What_failed_beside_a_good_credential_counts_only_while_there_is_one()
    {
        FlightFailure failure = FlightFailure.Of(Cause("The issuer is down.", isTransient: true), null, _clock, 0, isRefresh: true);

        Assert.That(failure.Counts(_clock.Tick, isHeld: true), Is.True);
        Assert.That(failure.Counts(_clock.Tick, isHeld: false), Is.False);
        Assert.That(failure.NextTryIn(_clock.Tick, isHeld: false), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public void A_denial_without_an_end_is_kept_until_the_policy_changes()
    {
        var denied = new AccessDeniedException("rule", "The rule forbids it.") { IsOfThePolicy = true };
        FlightFailure failure = FlightFailure.Of(denied, null, _clock, 0, isRefresh: false);

        Assert.That(failure.IsDenial);
        Assert.That(failure.NextTryIn(_clock.Tick, isHeld: false), Is.Null);
        Assert.That(failure.ToException(_clock).Detail, Is.EqualTo(denied.Detail));
        Assert.That(failure.ToException(_clock).RetryAfter, Is.Null);
    }

    [Test]
    public void A_failure_is_forgotten_a_minute_after_the_next_try_might_have_been_made()
    {
        FlightFailure failure = Failure("The issuer is down.", isTransient: true);
        long forgotten = failure.NotBeforeTick + (long)LongestWait.TotalMilliseconds;

        Assert.That(failure.IsForgotten(forgotten - 1), Is.False);
        Assert.That(failure.IsForgotten(forgotten), Is.True);
    }

    [TestCase(0, 500)]
    [TestCase(0.5, 750)]
    public void Chance_spreads_a_wait_over_its_second_half(double jitter, int milliseconds)
    {
        FlightFailure failure = FlightFailure.Of(Cause("The issuer is down.", isTransient: true), null, _clock, jitter, isRefresh: false);

        Assert.That(failure.NotBeforeTick - _clock.Tick, Is.EqualTo(milliseconds));
    }

    [Test]
    public void The_first_credential_that_the_target_refuses_is_replaced_at_once_and_the_next_waits()
    {
        FlightFailure first = FlightFailure.OfRefusal("warehouse", null, _clock, 0), second = FlightFailure.OfRefusal("warehouse", first, _clock, 0);

        Assert.That(first.Counts(_clock.Tick, isHeld: false), Is.False);
        Assert.That(second.NextTryIn(_clock.Tick, isHeld: false), Is.EqualTo(TimeSpan.FromSeconds(0.5)));
        TokenExchangeException told = second.ToException(_clock);
        Assert.That((told.Code, told.Target, told.IsTransient), Is.EqualTo(("NHI8004", "warehouse", true)));
        Assert.That(told.Detail, Does.StartWith("The target refused 2 credentials"));
        Assert.That(told.Hint, Does.Contain("check that the target trusts this issuer"));
    }

    [Test]
    public void A_refusal_does_not_push_out_a_failure_that_still_counts()
    {
        FlightFailure failure = Failure("The issuer is down.", isTransient: true);

        Assert.That(FlightFailure.OfRefusal("warehouse", failure, _clock, 0), Is.SameAs(failure));
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.That(FlightFailure.OfRefusal("warehouse", failure, _clock, 0).IsRefusal);
    }

    private FlightFailure Failure(string detail, bool isTransient) => FlightFailure.Of(Cause(detail, isTransient), null, _clock, 0, isRefresh: false);

    private static TokenExchangeException Cause(string detail, bool isTransient) => new("NHI4001", ExchangeStage.Exchange, detail) { IsTransient = isTransient };
}
