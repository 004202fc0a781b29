using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What Entra publishes and issues when everything is right.</summary>
[TestFixture]
internal sealed class EntraStraightWayTests : AzureFixture
{
    [Test]
    public async Task A_federated_assertion_gives_a_version_1_token_for_a_classic_api()
    {
        Application.Roles.Add("Orders.Read");
        RawAnswer answer = await AskAsync();
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That((answer.Text("token_type"), answer.Text("expires_in"), answer.Text("ext_expires_in"), answer.Text("refresh_in")), Is.EqualTo(("Bearer", "3600", "3600", (string?)null)));
        string tenant = Emulator.Entra.TenantId;
        string?[] seen = [.. new[] { "iss", "aud", "appid", "appidacr", "idtyp", "oid", "sub", "tid", "ver", "roles", "azp", "xms_mirid" }.Select(name => Claim(answer.Token, name))];
        Assert.That(seen, Is.EqualTo(new[] { $"https://sts.windows.net/{tenant}/", Emulator.AzureResource.Resource, Application.ClientId, "2", "app", Application.ObjectId, Application.ObjectId, tenant, "1.0", "[\"Orders.Read\"]", null, null }));
        Assert.That(Claim(answer.Token, "uti"), Does.StartWith(Emulator.Canaries.Entra));
        LedgerIssue issue = Emulator.Ledger.Issued.Single();
        Assert.That((issue.Fingerprint, issue.ClientId, issue.Subject, issue.Scope, issue.EndsAt, issue.RequestId, issue.Claims),
            Is.EqualTo((Ledger.FingerprintOf(answer.Token), Application.ClientId, Application.ObjectId, Scope, Clock.GetUtcNow().AddHours(1), answer.Header("x-ms-request-id"), (string?)null)));
    }

    [Test]
    public async Task The_exchange_audience_gives_a_version_2_token_under_its_application_id()
    {
        string token = await TokenAsync(("scope", $"{ExchangeAudience}/.default"));
        Assert.That((Claim(token, "iss"), Claim(token, "aud"), Claim(token, "azp"), Claim(token, "ver"), Claim(token, "appid")),
            Is.EqualTo((Emulator.Entra.IssuerOf(), "fb60f99c-7a34-4190-8149-302f77469936", Application.ClientId, "2.0", (string?)null)));
    }

    [Test]
    public async Task Tokens_are_signed_by_RS256_unless_told_otherwise_and_the_keys_are_published()
    {
        await using IdentityEmulator other = await IdentityEmulator.StartAsync();
        using var raw = new RawClient(other.CreateHandler());
        JsonElement key = (await raw.GetAsync(new Uri(other.Entra.Authority, $"{other.Entra.TenantId}/discovery/v2.0/keys"))).Json.GetProperty("keys")[0];
        Assert.That((key.GetProperty("alg").GetString(), key.GetProperty("kty").GetString()), Is.EqualTo(("RS256", "RSA")));
        Assert.That(key.EnumerateObject().Select(member => member.Name), Has.None.AnyOf("d", "p", "q"));
    }

    [Test]
    public async Task A_last_slash_of_the_resource_does_not_matter_and_is_kept()
    {
        string token = await TokenAsync(("scope", "https://vault.azure.net//.default"));
        Assert.That(Claim(token, "aud"), Is.EqualTo("https://vault.azure.net/"));
    }

    [Test]
    public async Task Refresh_in_comes_with_a_long_life_or_when_set()
    {
        Emulator.Entra.RefreshIn = TimeSpan.FromMinutes(7);
        Assert.That((await AskAsync()).Text("refresh_in"), Is.EqualTo("420"));
        Emulator.Entra.RefreshIn = null;
        Emulator.Entra.TokenLifetime = TimeSpan.FromHours(3);
        Assert.That((await AskAsync()).Text("refresh_in"), Is.EqualTo("5400"));
    }

    [TestCase("cp1")]
    [TestCase("CP1")]
    public async Task The_capability_lengthens_the_life_to_a_day(string capability)
    {
        string claims = $"{{\"access_token\":{{\"xms_cc\":{{\"values\":[\"{capability}\"]}}}}}}";
        RawAnswer answer = await AskAsync(changed: ("claims", claims));
        Assert.That((answer.Text("expires_in"), Claim(answer.Token, "xms_cc")), Is.EqualTo(("86400", "[\"cp1\"]")));
        Assert.That(Emulator.Ledger.Issued.Single().Claims, Is.EqualTo(claims));
    }

    [Test]
    public async Task Instance_discovery_knows_the_clouds_and_the_emulator_itself()
    {
        foreach (string authority in new[] { "https://login.microsoftonline.com/", Emulator.Entra.Authority.OriginalString })
        {
            RawAnswer answer = await Raw.GetAsync(new Uri($"https://login.microsoftonline.com/common/discovery/instance?api-version=1.1&authorization_endpoint={Uri.EscapeDataString($"{authority}{Emulator.Entra.TenantId}/oauth2/v2.0/authorize")}"));
            Assert.That(answer.Text("tenant_discovery_endpoint"), Is.EqualTo($"{authority}{Emulator.Entra.TenantId}/v2.0/.well-known/openid-configuration"));
            string[] aliases = [.. answer.Json.GetProperty("metadata").EnumerateArray().SelectMany(entry => entry.GetProperty("aliases").EnumerateArray()).Select(alias => alias.GetString()!)];
            Assert.That(aliases, Is.SupersetOf(new[] { "login.windows.net", "login.microsoftonline.us", "login.partner.microsoftonline.cn", "localhost", Emulator.Entra.Authority.Authority }));
            RawAnswer metadata = await Raw.GetAsync(new Uri(answer.Text("tenant_discovery_endpoint")!));
            Assert.That((metadata.Text("issuer"), metadata.Text("token_endpoint")), Is.EqualTo((Emulator.Entra.IssuerOf(), $"{authority}{Emulator.Entra.TenantId}/oauth2/v2.0/token")));
            Assert.That((await Raw.GetAsync(new Uri(metadata.Text("jwks_uri")!))).Json.GetProperty("keys").GetArrayLength(), Is.EqualTo(1));
        }
    }

    [Test]
    public async Task Instance_discovery_refuses_a_host_that_is_no_cloud_s()
    {
        RawAnswer answer = await Raw.GetAsync(new Uri(Emulator.Entra.Authority, "common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2Fevil.invalid%2Fcommon%2Foauth2%2Fv2.0%2Fauthorize"));
        Assert.That((answer.Status, answer.Error), Is.EqualTo((HttpStatusCode.BadRequest, "invalid_instance")));
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Entra.Authority, $"{Guid.NewGuid()}/v2.0/.well-known/openid-configuration"))).Error, Is.EqualTo("invalid_request"));
    }

    [Test]
    public async Task The_correlation_id_of_the_caller_comes_back()
    {
        string id = Guid.NewGuid().ToString();
        using var form = new FormUrlEncodedContent([]);
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Post, TokenEndpoint(), form, ("client-request-id", id));
        Assert.That((answer.Header("client-request-id"), answer.Text("correlation_id")), Is.EqualTo((id, id)));
    }

    [TestCase(EntraCloud.UsGovernment, "login.microsoftonline.us", "api://AzureADTokenExchangeUSGov")]
    [TestCase(EntraCloud.China, "login.partner.microsoftonline.cn", "api://AzureADTokenExchangeChina")]
    public async Task Another_cloud_has_its_own_host_issuer_and_audience(EntraCloud cloud, string host, string audience)
    {
        await using IdentityEmulator other = await IdentityEmulator.StartAsync(o => (o.EntraCloud, o.ProofAlgorithm, o.EntraAlgorithm) = (cloud, "ES256", "ES256"));
        using var raw = new RawClient(other.CreateHandler());
        JobIdentity job = other.JobIdentity(ProofShape.GitHub);
        EntraApplication application = other.Entra.AddApplication().Trust(job);
        RawAnswer answer = await raw.PostAsync(new Uri($"https://{host}/{other.Entra.TenantId}/oauth2/v2.0/token"),
            ("grant_type", "client_credentials"), ("client_id", application.ClientId), ("scope", $"{audience}/.default"), ("client_assertion_type", AssertionType), ("client_assertion", job.Mint(audience)));
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(Claim(answer.Token, "iss"), Is.EqualTo($"https://{host}/{other.Entra.TenantId}/v2.0"));
    }

    [Test]
    public async Task A_planned_fault_has_the_whole_body_and_its_headers()
    {
        Emulator.Faults.Next(EmulatorEndpoint.EntraToken, Fault.Entra(90055, headers: ("Retry-After", "17")));
        Emulator.Faults.Next(EmulatorEndpoint.EntraToken, Fault.Entra(90033));
        Emulator.Faults.Next(EmulatorEndpoint.EntraToken, Fault.Entra(50196, 429));
        RawAnswer throttled = await AskAsync();
        Assert.That((throttled.Status, throttled.Error, throttled.Header("Retry-After"), throttled.Json.GetProperty("error_codes")[0].GetInt32()), Is.EqualTo((HttpStatusCode.TooManyRequests, "temporarily_unavailable", "17", 90055)));
        Assert.That((await AskAsync()).Status, Is.EqualTo(HttpStatusCode.ServiceUnavailable));
        RawAnswer loop = await AskAsync();
        Assert.That((loop.Status, loop.Error), Is.EqualTo((HttpStatusCode.TooManyRequests, "invalid_grant")));
        Assert.That((await AskAsync()).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((Emulator.Ledger.Requests.Of(EmulatorEndpoint.EntraToken), Emulator.Ledger.Issued.Count, Emulator.Ledger.MaxConcurrentExchanges), Is.EqualTo((4, 1, 1)));
    }
}
