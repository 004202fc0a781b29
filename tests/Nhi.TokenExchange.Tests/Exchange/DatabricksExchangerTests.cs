namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class DatabricksExchangerTests
{
    private const string Answer = """{"access_token":"opaque-one","token_type":"Bearer","expires_in":3600,"scope":"sql"}""";

    [Test]
    public async Task A_service_principals_exchange_names_it_in_the_form()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        Issued<BearerToken> issued = await ExchangeAsync(Targets.Databricks(workspace.Uri, "principal"), "sql");
        Assert.That(issued.Flaw, Is.Null);
        Assert.That(issued.GrantedScopes?.ToString(), Is.EqualTo("sql"));
        ReceivedRequest request = workspace.Requests.Single();
        Assert.That(request.Path, Is.EqualTo("/oidc/v1/token"));
        Assert.That(request.Headers.Keys, Has.No.Member("Authorization"));
        Assert.That(request.Form, Is.EqualTo(new[]
        {
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", WireSamples.Proof),
            ("scope", "sql"),
            ("client_id", "principal"),
        }));
    }

    [Test]
    public async Task An_account_wide_exchange_names_no_client_and_without_scopes_asks_for_all_apis()
    {
        await using var account = new ScriptedIssuer(ScriptedAnswer.Json(Answer));
        await ExchangeAsync(Targets.Databricks(account.Uri, configure: o => o.AccountId = "acc-1"));
        ReceivedRequest request = account.Requests.Single();
        Assert.That(request.Path, Is.EqualTo("/oidc/accounts/acc-1/v1/token"));
        Assert.That(request.Field("client_id"), Is.Null);
        Assert.That(request.Field("scope"), Is.EqualTo("all-apis"));
    }

    [Test]
    public void The_proof_is_for_the_token_endpoint_or_the_account()
    {
        var host = new Uri("https://workspace.example");
        Assert.That(Targets.Databricks(host, "p").SubjectAudience.ToString(), Is.EqualTo("https://workspace.example/oidc/v1/token"));
        Assert.That(Targets.Databricks(host, "p", o => o.AccountId = "acc-1").SubjectAudience.ToString(), Is.EqualTo("acc-1"));
        Assert.That(Targets.Databricks(host, "p", o => o.SubjectAudience = "mine").SubjectAudience.ToString(), Is.EqualTo("mine"));
        Assert.That(Targets.Databricks(host).UsableMargin, Is.EqualTo(TimeSpan.FromSeconds(40)));
        Assert.That(Targets.Databricks(host).EndsWithSubjectToken, Is.False);
    }

    [Test]
    public async Task Nothing_can_be_revoked()
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        Assert.That(await Targets.Databricks(new Uri("https://workspace.example")).RevokeAsync(WireSamples.Revocation(channel, time), default), Is.EqualTo(Revocation.NotSupported));
    }

    [Test]
    public async Task A_host_without_federation_is_told_from_a_wrong_path()
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Status(404));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri)))!;
        Assert.That(failure.Hint, Does.Contain("federation is not available"));
        Assert.That(failure.IsTransient, Is.False);
    }

    [TestCase(500, 1)]
    [TestCase(503, 5)]
    public async Task A_500_is_not_asked_again(int status, int requests)
    {
        await using var workspace = new ScriptedIssuer(ScriptedAnswer.Json("""{"error_code":500,"message":"broken"}""", status));
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => ExchangeAsync(Targets.Databricks(workspace.Uri)))!;
        Assert.That(failure.IsTransient);
        Assert.That(workspace.Requests, Has.Count.EqualTo(requests));
    }

    [TestCase("https://workspace.example/path")]
    [TestCase("http://workspace.example")]
    public void A_host_that_is_none_is_refused_at_once(string host) =>
        Assert.That(() => Targets.Databricks(new Uri(host)), Throws.InstanceOf<ArgumentException>());

    [TestCase("")]
    [TestCase("a/../b")]
    [TestCase("a?b")]
    public void An_account_id_can_not_change_the_path(string id) =>
        Assert.That(() => Targets.Databricks(new Uri("https://accounts.example"), configure: o => o.AccountId = id), Throws.ArgumentException);

    private static async Task<Issued<BearerToken>> ExchangeAsync(TokenExchanger<BearerToken> exchanger, params string[] scopes)
    {
        var time = new SkippingTime();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        return await exchanger.ExchangeAsync(WireSamples.Request(channel, time, null, scopes), default);
    }
}
