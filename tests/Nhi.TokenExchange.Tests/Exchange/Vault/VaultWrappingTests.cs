using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>Answers that come wrapped: looked at, opened once, and an alarm where somebody else was first.</summary>
internal sealed class VaultWrappingTests
{
    private static Task<VaultJob> StartAsync(TimeProvider? time = null) => VaultJob.StartAsync(time, o => o.WrapLifetime = TimeSpan.FromMinutes(1), o => o.WrapLifetime = TimeSpan.FromMinutes(1));

    [Test]
    public async Task Login_and_secret_are_asked_for_wrapped_and_each_is_opened_once()
    {
        await using VaultJob job = await StartAsync();

        VaultSecret secret = await job.Database.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(secret.Fields, Has.Member("password"));
        Assert.That(job.Requests(EmulatorEndpoint.VaultWrapping), Is.EqualTo(4), "a look and an opening each");
        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((0, 0)));
    }

    [TestCase(1)]
    [TestCase(2)]
    public async Task What_was_opened_before_is_an_alarm_of_its_own(int request)
    {
        await using VaultJob job = await StartAsync();
        job.Emulator.Faults.At(EmulatorEndpoint.VaultWrapping, request, Fault.Vault(400, "wrapping token is not valid or does not exist"));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That((alarm.Code, alarm.IsTransient), Is.EqualTo(("NHI4018", false)));
        Assert.That(alarm.Message, Does.Contain("somebody else has read").And.Not.Contain(job.Emulator.Canaries.Vault));
    }

    [Test]
    public async Task A_login_that_somebody_else_opened_lives_on_after_the_job_and_the_alarm_says_by_what_it_is_ended()
    {
        await using VaultJob job = await StartAsync();
        job.Emulator.Faults.At(EmulatorEndpoint.VaultWrapping, 2, Fault.Vault(400, "wrapping token is not valid or does not exist"));
        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;
        await job.Session.CompleteAsync();
        Assert.That(job.Vault.OpenTokens, Is.EqualTo(1), "the job never had it");

        string accessor = Regex.Match(alarm.Message, "vault token revoke -accessor (\\S+)\\)").Groups[1].Value;
        int answer = await job.OperateAsync(HttpMethod.Post, "auth/token/revoke-accessor", $$"""{"accessor":"{{accessor}}"}""");

        Assert.That((answer, job.Vault.OpenTokens), Is.EqualTo((204, 0)), alarm.Message);
        Assert.That(job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed).Reason, Does.Contain(accessor));
    }

    [Test]
    public async Task A_secret_that_somebody_else_opened_ends_with_the_job()
    {
        await using VaultJob job = await StartAsync();
        await job.Login.GetAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultWrapping, Fault.Vault(400, "wrapping token is not valid or does not exist"));
        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Database.GetAsync().AsTask())!;
        await job.Session.CompleteAsync();

        Assert.That(alarm.Message, Does.Contain("end the job, which ends what was issued to it").And.Not.Contain("accessor"));
        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task What_is_no_accessor_is_not_shown_as_one()
    {
        await using VaultJob job = await StartAsync();
        string token = "hvs." + job.Emulator.Canaries.Vault;
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Field("wrap_info", $$"""{"token":"one","wrapped_accessor":"{{token}}"}"""));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That(alarm.Code, Is.EqualTo("NHI4018"));
        Assert.That(alarm.Message, Does.Contain("Find its token's accessor").And.Not.Contain(token));
    }

    [Test]
    public async Task What_was_wrapped_elsewhere_is_not_opened()
    {
        await using VaultJob job = await StartAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultWrapping, Fault.Field("data", """{"creation_path":"sys/wrapping/wrap","creation_ttl":60}"""));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That((alarm.Code, job.Requests(EmulatorEndpoint.VaultWrapping)), Is.EqualTo(("NHI4018", 1)));
        Assert.That(alarm.Message, Does.Contain("another path"));
    }

    [Test]
    public async Task An_opening_whose_answer_was_lost_is_not_tried_again_and_is_no_alarm()
    {
        await using VaultJob job = await StartAsync();
        job.Emulator.Faults.At(EmulatorEndpoint.VaultWrapping, 2, Fault.ResetAfterWork());

        TokenExchangeException lost = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That((lost.Code, lost.IsTransient, job.Requests(EmulatorEndpoint.VaultWrapping)), Is.EqualTo(("NHI4002", true, 2)));
    }

    [Test]
    public async Task An_answer_that_comes_unwrapped_is_refused()
    {
        await using VaultJob job = await StartAsync();
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Field("wrap_info", "null"));

        Assert.That(() => job.Login.GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4004").And.Message.Contains("is not wrapped"));
    }

    [Test]
    public async Task A_life_counts_from_the_making_and_not_from_the_opening()
    {
        var time = new ManualTimeProvider();
        await using VaultJob job = await StartAsync(time);
        DateTimeOffset asked = time.GetUtcNow();
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.VaultWrapping);
        Task<BearerToken> getting = job.Login.GetAsync().AsTask();
        await held.Reached;
        time.Advance(TimeSpan.FromSeconds(20));
        held.Release();

        Assert.That((await getting).ExpiresAt, Is.EqualTo(asked.AddHours(1)));
    }
}
