using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>A static key has an owner and an end; log and health tell of the end before it comes, and after it there is no key.</summary>
internal sealed class StaticKeyTermsTests
{
    [Test]
    public async Task Not_an_instant_after_its_Until_is_a_key_handed_out_though_it_is_held()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, left: TimeSpan.FromMinutes(3));
        time.Advance(TimeSpan.FromMinutes(2.9));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        int reads = job.Reads;

        time.Advance(TimeSpan.FromMinutes(0.1));

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.CallAsync())!;
        Assert.That((refused.Code, refused.Target, refused.IsTransient), Is.EqualTo(("NHI3004", "billing", false)));
        Assert.That(refused.Message, Does.Contain(StaticKeyJob.Owner).And.Contain("secret/data/legacy/billing#value"));
        Assert.That((job.Service.Requests.Count, job.Reads), Is.EqualTo((1, reads)), "the vault is not asked for what would not be used");
        AuditEvent failed = job.Audit.Events.Last(one => one.Kind == AuditEventKind.Failed);
        Assert.That((failed.Code, failed.StaticKey!.Owner), Is.EqualTo(("NHI3004", StaticKeyJob.Owner)));
    }

    [Test]
    public async Task The_log_warns_from_30_days_before_once_a_day_and_says_whose_the_key_is()
    {
        var time = new ManualTimeProvider();
        using var log = new LoggedText();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, left: TimeSpan.FromDays(32), more: b => b.Logging(log));
        await job.CallAsync();
        Assert.That(Warnings(), Is.Zero);
        await job.QuietAsync();
        time.Suspend(TimeSpan.FromDays(2) - TimeSpan.FromSeconds(1));   // no renewal of the login is begun on the way, and dies there
        time.Advance(TimeSpan.FromSeconds(1));   // the wall is asked once a tick
        for (int call = 0; call < 3; call++)
        {
            await job.CallAsync();
            await job.QuietAsync();
            time.Advance(TimeSpan.FromMinutes(20));   // each call reads anew
        }
        Assert.That(Warnings(), Is.EqualTo(1));
        Assert.That(log.Text, Does.Contain($"{StaticKeyJob.Owner}, which is refused from 2026-02-02 00:00:00Z on, in 30 days"));
        await job.QuietAsync();
        time.Suspend(TimeSpan.FromDays(1));
        time.Advance(TimeSpan.FromSeconds(1));   // the wall is asked once a tick
        await job.CallAsync();
        Assert.That(Warnings(), Is.EqualTo(2));

        int Warnings() => log.Text.Split('\n').Count(line => line.StartsWith("billing uses a static key", StringComparison.Ordinal));
    }

    [Test]
    public async Task The_log_says_that_it_is_over_on_the_very_day_on_which_it_warned()
    {
        var time = new ManualTimeProvider();
        using var log = new LoggedText();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, left: TimeSpan.FromMinutes(30), more: b => b.Logging(log));
        await job.CallAsync();
        Assert.That(log.Text, Does.Contain("billing uses a static key").And.Not.Contain("billing has a static key"));
        time.Advance(TimeSpan.FromMinutes(31));

        for (int call = 0; call < 3; call++)
        {
            Assert.That(() => job.CallAsync(), Throws.TypeOf<TokenExchangeException>());
            time.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.That(log.Text.Split('\n').Count(line => line.StartsWith("billing has a static key", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task A_start_warns_too_and_says_so_when_the_time_is_over_without_failing_the_others()
    {
        using var near = new LoggedText();
        await using (await StaticKeyJob.StartAsync(left: TimeSpan.FromDays(10), more: b => b.Logging(near)))
            Assert.That(near.Text, Does.Contain("billing uses a static key"));
        using var over = new LoggedText();
        await using StaticKeyJob late = await StaticKeyJob.StartAsync(left: TimeSpan.FromSeconds(-1), more: b => b.Logging(over));
        Assert.That(over.Text, Does.Contain("billing has a static key").And.Contain("which is refused since"));
        Assert.That((await late.Session.Provider<BearerToken>("vault").GetAsync()).Fingerprint, Is.Not.Empty);
    }

    [TestCase(31, HealthStatus.Healthy, "Nothing is held")]
    [TestCase(29, HealthStatus.Degraded, "Its static key is refused in 29 days")]
    [TestCase(0, HealthStatus.Unhealthy, "The time of its static key is over")]
    public async Task Health_tells_of_the_end_with_owner_and_instant(int days, HealthStatus status, string said)
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time, left: TimeSpan.FromDays(days));
        var services = new ServiceCollection();
        services.AddSingleton(job.Session).AddLogging().AddHealthChecks().AddTokenExchange();
        await using ServiceProvider container = services.BuildServiceProvider();

        HealthReportEntry entry = (await container.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["token-exchange:billing"];

        Assert.That((entry.Status, entry.Data["owner"], entry.Data["until"]), Is.EqualTo((status, (object)StaticKeyJob.Owner, (object)StaticKeyJob.In(time, TimeSpan.FromDays(days)))));
        Assert.That(entry.Description, Does.Contain(said));
    }

    [Test]
    public void A_key_without_a_near_end_a_policy_a_place_to_go_or_an_owner_is_refused_at_the_start()
    {
        var server = new Uri("https://vault.example:8200");
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System))
            .Target("vault", Targets.VaultLogin(server, "orders"), "job")
            .Target("billing", Targets.VaultStaticKey(server, "legacy/billing", "Billing team", StaticKeyJob.In(null, TimeSpan.FromDays(367))), t => t.Through = "vault")
            .Target("mail", Targets.VaultStaticKey(server, "legacy/mail", "Mail team", StaticKeyJob.In(null, TimeSpan.FromDays(1)), o => o.Header.Name = "X-Api-Key"), t => t.Identity = "job")))!;

        Assert.That(refused.Message, Does.Contain("Targets:billing:Until: is ").And.Contain("more than a year ahead"));
        Assert.That(refused.Message, Does.Contain("Targets:billing: has a static key, and there is no policy").And.Contain("\"static\": true"));
        Assert.That(refused.Message, Does.Contain("Targets:billing: names no Header, and no opener is registered"));
        Assert.That(refused.Message, Does.Contain("Targets:mail:AllowedOrigins: is missing, and nothing says where the key may go"));
        Assert.That(refused.Message, Does.Contain("Targets:mail:Through: is missing: a secret is read with the token of a login"));
        Assert.That(() => Targets.VaultStaticKey(server, "legacy/billing", " ", DateTimeOffset.UnixEpoch), Throws.ArgumentException.With.Message.Contains("The owner is missing"));
    }

    [TestCase(null, "is missing")]
    [TestCase("", "is missing")]
    [TestCase(" \t", "is missing")]
    [TestCase("a\nb", "has a control character")]
    [TestCase("200", null)]
    [TestCase("201", "is too long")]
    public void An_owner_is_from_1_to_200_visible_characters(string? owner, string? fault)
    {
        owner = int.TryParse(owner, out int length) ? new string('o', length) : owner;
        Action make = () => Targets.VaultStaticKey(new Uri("https://vault.example:8200"), "legacy/billing", owner!, DateTimeOffset.MaxValue);

        Assert.That(make, fault is null
            ? Throws.Nothing
            : Throws.ArgumentException.With.Message.EqualTo($"The owner {fault}. Write who answers for the key, such as a team and its address: 1 to 200 visible characters. (Parameter 'owner')"));
    }
}
