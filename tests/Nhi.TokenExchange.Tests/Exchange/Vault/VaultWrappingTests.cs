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

    [TestCase("hvs.")]
    [TestCase("eyJ")]   // a JWT, such as the proof
    public async Task What_is_no_accessor_is_not_shown_as_one(string beginning)
    {
        await using VaultJob job = await StartAsync();
        string token = beginning + job.Emulator.Canaries.Vault;
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Field("wrap_info", $$"""{"token":"one","wrapped_accessor":"{{token}}"}"""));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That(alarm.Code, Is.EqualTo("NHI4018"));
        Assert.That(alarm.Message, Does.Contain("Find its token's accessor").And.Not.Contain(token));
    }

    [TestCase("opens-it-once", "x-opens-it-once")]
    [TestCase("opens-it-once-and-never-again", "once-and-never-again")]
    [TestCase("one", null, Description = "a piece of the proof")]
    public async Task An_accessor_with_a_secret_or_a_piece_of_one_in_it_is_not_shown(string token, string? accessor)
    {
        await using VaultJob job = await VaultJob.StartAsync(login: o => o.WrapLifetime = TimeSpan.FromMinutes(1));
        string proof = job.Identity.Mint(job.Vault.Address.GetLeftPart(UriPartial.Authority));
        accessor ??= proof.Split('.')[1][8..60];
        job.Emulator.Faults.Next(EmulatorEndpoint.VaultLogin, Fault.Field("wrap_info", $$"""{"token":"{{token}}","wrapped_accessor":"{{accessor}}"}"""));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That(alarm.Code, Is.EqualTo("NHI4018"));
        Assert.That(alarm.Message, Does.Contain("Find its token's accessor").And.Not.Contain(accessor));
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

    private const string Wrapped = """{"request_id":"r-1","wrap_info":{"token":"opens-the-answer","wrapped_accessor":"a-1"}}""";
    private const string Unwrapped = """{"request_id":"r-3","auth":{"client_token":"opens-the-vault","lease_duration":3600}}""";
    private const string AsRead = "Treat it as read by somebody else until you know better: ";

    private static string MadeAt(string path) => $$"""{"request_id":"r-2","data":{"creation_path":"{{path}}"} }""";

    private static Task<Issued<BearerToken>> LoginAsync(ScriptedVault vault, string? ns = null) => vault.LoginAsync(o => (o.Namespace, o.WrapLifetime) = (ns, TimeSpan.FromMinutes(1)));

    [Test]
    public async Task A_name_of_the_request_that_opened_it_repeats_nothing_of_the_request_that_it_answers()
    {
        using var vault = new ScriptedVault((200, Wrapped), (200, MadeAt("auth/jwt/login")), (200, Unwrapped.Replace("r-3", "r-" + ScriptedVault.Proof, StringComparison.Ordinal)));

        Assert.That((await LoginAsync(vault)).CorrelationId, Is.EqualTo("r-[redacted]"));
    }

    // Servers name the path with its namespace or without.
    [TestCase(null, "auth/jwt/login", true)]
    [TestCase(null, "auth/jwt/login/", true)]
    [TestCase(null, "acme/auth/jwt/login", false)]
    [TestCase("acme", "auth/jwt/login", true)]
    [TestCase("acme", "acme/auth/jwt/login", true)]
    [TestCase("acme", "acme/auth/jwt/login/", true)]
    [TestCase("acme", "other/auth/jwt/login", false)]
    [TestCase("acme", "acme/", false)]
    public async Task An_answer_is_opened_where_it_was_made_at_the_path_that_was_asked(string? ns, string path, bool isOpened)
    {
        using var vault = new ScriptedVault((200, Wrapped), (200, MadeAt(path)), (200, Unwrapped));

        TokenExchangeException? alarm = null;
        try
        {
            Assert.That((await LoginAsync(vault, ns)).Credential.Reveal(), Is.EqualTo("opens-the-vault"));
        }
        catch (TokenExchangeException refused)
        {
            alarm = refused;
        }

        Assert.That((alarm?.Code, alarm?.Detail, alarm?.Hint), Is.EqualTo(isOpened ? (null, null, null) : (
            "NHI4018", "The wrapped answer of host vault.test was made at another path than the one that was asked; somebody put it there.",
            AsRead + "no end of a job ends this login. Find its token's accessor in Vault's audit, revoke it by that, and look into Vault's audit for the wrapping token's use.")));
        Assert.That(vault.Asked.Skip(1), Is.EqualTo(new[] { "POST /v1/sys/wrapping/lookup", "POST /v1/sys/wrapping/unwrap" }.Take(isOpened ? 2 : 1)));
        Assert.That(vault.Requests.Skip(1).Select(request => (request.Body, request.Headers.ContainsKey("X-Vault-Token"), request.Headers.ContainsKey("X-Vault-Wrap-TTL"))), Is.All.EqualTo(("""{"token":"opens-the-answer"}""", false, false)));
    }

    [TestCase("a-1", true)]
    [TestCase("A.b-9", true)]
    [TestCase("", false)]
    [TestCase("a b", false)]
    [TestCase("a-1)", false)]
    [TestCase("s.abc", false)]
    [TestCase("hvb.abc", false)]
    [TestCase("64", true)]
    [TestCase("65", false)]
    public void An_accessor_that_can_be_one_is_shown_with_what_to_do_with_it(string accessor, bool isShown)
    {
        accessor = int.TryParse(accessor, out int length) ? new string('a', length) : accessor;
        using var vault = new ScriptedVault((200, Wrapped.Replace("a-1", accessor, StringComparison.Ordinal)), ScriptedVault.No(400, "wrapping token is not valid or does not exist"));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => LoginAsync(vault))!;

        Assert.That(alarm.Detail, Is.EqualTo("The wrapped answer of host vault.test can't be opened: the wrapping token was used before, or has ended. If it has not, somebody else has read the secret."
            + (isShown ? $" The token in it has the accessor {accessor}." : "")));
        Assert.That(alarm.Hint, Is.EqualTo(AsRead + (isShown
            ? $"no end of a job ends this login. Look at it (vault token lookup -accessor {accessor}), revoke it (vault token revoke -accessor {accessor}), and look into Vault's audit for the wrapping token's use."
            : "no end of a job ends this login. Find its token's accessor in Vault's audit, revoke it by that, and look into Vault's audit for the wrapping token's use.")));
    }

    [Test]
    public void A_secret_that_was_opened_before_says_that_the_job_ends_it()
    {
        using var vault = new ScriptedVault((200, Wrapped), ScriptedVault.No(403, "permission denied"));

        TokenExchangeException alarm = Assert.ThrowsAsync<TokenExchangeException>(() => vault.ReadAsync(o => o.WrapLifetime = TimeSpan.FromMinutes(1)))!;

        Assert.That((alarm.Code, alarm.Hint), Is.EqualTo(("NHI4018", AsRead + "end the job, which ends what was issued to it, and look into Vault's audit for the wrapping token's use.")));
    }

    [TestCase(503, "NHI4002", true)]
    [TestCase(405, "NHI4001", false)]
    public void A_look_that_fails_in_another_way_is_no_alarm(int status, string code, bool isTransient)
    {
        using var vault = new ScriptedVault((200, Wrapped), (status, MadeAt("auth/jwt/login")), (200, Unwrapped));

        TokenExchangeException failed = Assert.ThrowsAsync<TokenExchangeException>(() => LoginAsync(vault))!;

        Assert.That((failed.Code, failed.IsTransient, vault.Requests.Count), Is.EqualTo((code, isTransient, 2)));
    }
}
