namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A decision is remembered no longer than it holds, by whichever clock, and only for the question that it answers.</summary>
internal sealed class DecisionCacheTests
{
    private IdentityEmulator _emulator = null!;
    private int _before;

    [OneTimeSetUp]
    public async Task StartAsync() => _emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");

    [SetUp]
    public void Count()
    {
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = true, HoldsFor = TimeSpan.FromMinutes(10) };
        _before = _emulator.DecisionPoint.Questions.Count;
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _emulator.DisposeAsync();

    private int Asked => _emulator.DecisionPoint.Questions.Count - _before;

    [Test]
    public async Task A_wall_that_is_set_back_and_a_suspend_lengthen_nothing()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        await policy.DecideAsync(Questions.Of(time));
        time.Advance(TimeSpan.FromMinutes(4));
        time.SetWall(time.GetUtcNow() - TimeSpan.FromMinutes(4));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(1));
        time.Advance(TimeSpan.FromMinutes(2));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(2), "the wall was set back, the other hand was not");

        time.Suspend(TimeSpan.FromMinutes(6));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(3), "the machine slept, the wall did not");
    }

    [Test]
    public async Task A_remembered_permit_ends_when_the_answer_said_so()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.AuthZen.Policy(_emulator.DecisionPoint);
        DateTimeOffset asked = time.GetUtcNow();
        await policy.DecideAsync(Questions.Of(time));
        time.Advance(TimeSpan.FromMinutes(3));

        AccessDecision remembered = await policy.DecideAsync(Questions.Of(time));

        Assert.That((Asked, remembered.HoldsUntil), Is.EqualTo((1, asked.AddMinutes(10))));
    }

    [Test]
    public async Task A_deny_is_remembered_for_all_of_its_lifetime()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = false, HoldsFor = TimeSpan.FromMinutes(10) };
        await policy.DecideAsync(Questions.Of(time));
        time.Advance(TimeSpan.FromMinutes(9));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(1));
        time.Advance(TimeSpan.FromMinutes(1));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(2));
    }

    [Test]
    public async Task A_refresh_is_never_served_from_memory_and_another_question_neither()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        await policy.DecideAsync(Questions.Of(time));
        await policy.DecideAsync(Questions.Of(time, isRefresh: true));
        await policy.DecideAsync(Questions.Of(time, isRefresh: true));
        await policy.DecideAsync(Questions.Of(time, target: "lake"));
        await policy.DecideAsync(Questions.Of(time, subject: "job:Orders"));
        Assert.That(Asked, Is.EqualTo(5));

        await policy.DecideAsync(Questions.Of(time, target: "lake"));
        Assert.That(Asked, Is.EqualTo(5));
        await policy.DecideAsync(Questions.Of(time));
        Assert.That(Asked, Is.EqualTo(6), "what a refresh was told is the later word");
    }

    [Test]
    public async Task What_a_refresh_left_is_not_widened_by_an_older_and_longer_yes()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read", "write"], HoldsFor = TimeSpan.FromHours(2) };
        await policy.DecideAsync(Questions.Of(time));
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = ["read"], HoldsFor = TimeSpan.FromMinutes(1) };
        time.Advance(TimeSpan.FromMinutes(10));
        await policy.DecideAsync(Questions.Of(time, isRefresh: true));

        AccessDecision next = await policy.DecideAsync(Questions.Of(time));

        Assert.That((next.Scopes.ToString(), next.HoldsUntil), Is.EqualTo(("read", time.GetUtcNow().AddMinutes(1))));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_yes_that_comes_late_is_not_remembered_over_a_later_word(bool isRefresh)
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = true, HoldsFor = TimeSpan.FromHours(2) };
        HeldRequest held = _emulator.Faults.HoldNext(EmulatorEndpoint.OpaData, HoldPoint.BeforeAnswer);
        Task<AccessDecision> slow = policy.DecideAsync(Questions.Of(time));
        await held.Reached;
        time.Advance(TimeSpan.FromSeconds(1));
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = false, HoldsFor = TimeSpan.FromSeconds(1) };
        Assert.That((await policy.DecideAsync(Questions.Of(time, isRefresh))).IsPermitted, Is.False);

        held.Release();
        Assert.That((await slow).IsPermitted, Is.True);
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.That((await policy.DecideAsync(Questions.Of(time))).IsPermitted, Is.False);
    }

    [Test]
    public async Task A_later_word_stays_remembered_when_an_older_answer_comes_late()
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        HeldRequest held = _emulator.Faults.HoldNext(EmulatorEndpoint.OpaData, HoldPoint.BeforeAnswer);
        Task<AccessDecision> slow = policy.DecideAsync(Questions.Of(time));
        await held.Reached;
        time.Advance(TimeSpan.FromSeconds(1));
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = false, HoldsFor = TimeSpan.FromMinutes(10) };
        await policy.DecideAsync(Questions.Of(time));
        held.Release();
        await slow;

        Assert.That(((await policy.DecideAsync(Questions.Of(time))).IsPermitted, Asked), Is.EqualTo((false, 2)));
    }

    [Test]
    public async Task What_a_refresh_got_less_of_is_not_served_from_memory_any_more([Values("scopes", "time", "lifetime")] string less)
    {
        var time = new ManualTimeProvider();
        IAccessPolicy policy = Language.Opa.Policy(_emulator.DecisionPoint);
        await policy.DecideAsync(Questions.Of(time));
        _emulator.DecisionPoint.Rule = _ => new EmulatedDecision { IsPermitted = true, Scopes = less == "scopes" ? ["read"] : null, HoldsFor = less switch { "time" => TimeSpan.FromMinutes(1), "scopes" => TimeSpan.FromMinutes(10), _ => null } };
        AccessDecision refreshed = await policy.DecideAsync(Questions.Of(time, isRefresh: true));

        AccessDecision next = await policy.DecideAsync(Questions.Of(time));

        Assert.That((Asked, next.Scopes, next.HoldsUntil), Is.EqualTo((3, refreshed.Scopes, refreshed.HoldsUntil)));
    }

    [Test]
    public async Task What_is_remembered_is_bounded()
    {
        var time = new ManualTimeProvider();
        var cache = new DecisionCache();
        AccessDecision permit = AccessDecision.Permit("all");
        for (int i = 0; i < 5000; i++)
            cache.Answered(DecisionCache.KeyOf(BitConverter.GetBytes(i)), permit, TimeSpan.FromHours(1), time.GetTimestamp(), time.GetUtcNow());

        await Eventually.HoldsAsync(() => cache.Count <= 1024, "the bound");
    }
}
