using System.Net;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The protected Azure-style API: who is served, and what the others are told.</summary>
[TestFixture]
internal sealed class AzureResourceTests : AzureFixture
{
    [Test]
    public async Task It_echoes_what_came_and_the_ledger_has_the_use()
    {
        string token = await TokenAsync();
        RawAnswer answer = await UseAsync(token, HttpMethod.Put, "container/blob");
        Assert.That((answer.Status, answer.Text("method"), answer.Text("path"), answer.Text("length"), answer.Text("fingerprint")), Is.EqualTo((HttpStatusCode.OK, "PUT", "/container/blob", "6", Ledger.FingerprintOf(token))));
        LedgerUse use = Emulator.Ledger.Uses.Single();
        Assert.That((use.Verdict, use.Fingerprint, use.Path), Is.EqualTo((UseVerdict.Accepted, Ledger.FingerprintOf(token), "/container/blob")));
        Assert.That(Emulator.Ledger.Requests.Of(EmulatorEndpoint.AzureResource), Is.EqualTo(1));
    }

    [Test]
    public async Task It_takes_a_managed_identity_s_token() =>
        Assert.That((await UseAsync((await ImdsAsync($"resource={Emulator.AzureResource.Resource}")).Token)).Status, Is.EqualTo(HttpStatusCode.OK));

    [Test]
    public async Task Without_a_token_it_says_where_to_get_one()
    {
        RawAnswer answer = await UseAsync(null);
        Assert.That(answer.Header("WWW-Authenticate"), Is.EqualTo($"Bearer authorization_uri=\"https://login.microsoftonline.com/{Emulator.Entra.TenantId}/oauth2/authorize\", resource_id=\"{Emulator.AzureResource.Resource}\""));
        Expect(answer, UseVerdict.Missing, "");
    }

    [Test]
    public async Task A_token_for_another_api_a_changed_and_a_foreign_one_are_refused()
    {
        Expect(await UseAsync(await TokenAsync(("scope", "https://vault.azure.net/.default"))), UseVerdict.OtherAudience, "invalid_token");
        string token = await TokenAsync();
        Expect(await UseAsync(token[..^4] + (token.EndsWith("AAAA", StringComparison.Ordinal) ? "BBBB" : "AAAA")), UseVerdict.Unknown, "invalid_token");
        Expect(await UseAsync(Job.Mint(Emulator.AzureResource.Resource)), UseVerdict.Unknown, "invalid_token");
        Expect(await UseAsync("noise"), UseVerdict.Unknown, "invalid_token");
    }

    [Test]
    public async Task A_token_is_refused_at_its_very_end()
    {
        string token = await TokenAsync();
        Clock.Advance(TimeSpan.FromSeconds(3599));
        Assert.That((await UseAsync(token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Clock.Advance(TimeSpan.FromSeconds(1));
        Expect(await UseAsync(token), UseVerdict.Expired, "invalid_token");
    }

    [Test]
    public async Task A_revoked_token_is_refused_and_a_new_one_taken()
    {
        string token = await TokenAsync();
        Emulator.AzureResource.Revoke(Ledger.FingerprintOf(token));
        Expect(await UseAsync(token), UseVerdict.Revoked, "invalid_token");
        Assert.That(Emulator.Ledger.IsAlive(Ledger.FingerprintOf(token)), Is.False);
        Assert.That((await UseAsync(await TokenAsync())).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task After_a_rotation_that_drops_the_old_keys_old_tokens_are_refused()
    {
        string token = await TokenAsync();
        Emulator.Entra.RotateKeys(keepOld: true);
        Assert.That((await UseAsync(token)).Status, Is.EqualTo(HttpStatusCode.OK));
        Emulator.Entra.RotateKeys(keepOld: false);
        Expect(await UseAsync(token), UseVerdict.Unknown, "invalid_token");
    }

    [Test]
    public async Task A_claims_challenge_is_answered_by_a_token_that_was_asked_for_with_these_claims()
    {
        const string Wanted = /*lang=json*/ "{\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1767225600\"}}}";
        string plain = await TokenAsync();
        Emulator.AzureResource.RequireClaims(Wanted);
        RawAnswer challenge = await UseAsync(plain);
        Expect(challenge, UseVerdict.InsufficientClaims, "insufficient_claims");
        Assert.That(challenge.Header("WWW-Authenticate"), Does.EndWith($"claims=\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(Wanted))}\""));
        // SDKs merge their capabilities into it.
        string merged = /*lang=json*/ "{\"access_token\":{\"xms_cc\":{\"values\":[\"cp1\"]},\"nbf\":{\"value\":\"1767225600\",\"essential\":true}}}";
        Assert.That((await UseAsync(await TokenAsync(("claims", merged)))).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await UseAsync(await TokenAsync(("claims", merged.Replace("1767225600", "1", StringComparison.Ordinal)))), UseVerdict.InsufficientClaims, "insufficient_claims");
        Emulator.AzureResource.RequireClaims(null);
        Assert.That((await UseAsync(plain)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(() => Emulator.AzureResource.RequireClaims("[]"), Throws.ArgumentException);
    }

    [Test]
    public async Task Planned_faults_meet_it()
    {
        Emulator.Faults.Next(EmulatorEndpoint.AzureResource, Fault.Status(503, ("Retry-After", "3")));
        Assert.That((await UseAsync(await TokenAsync())).Header("Retry-After"), Is.EqualTo("3"));
        Assert.That(Emulator.Ledger.Uses, Is.Empty);
    }

    private async Task<RawAnswer> UseAsync(string? token, HttpMethod? method = null, string path = "orders")
    {
        using var body = new StringContent("orders");
        return await Raw.SendAsync(method ?? HttpMethod.Post, new Uri(Emulator.AzureResource.Address, path), body, token is null ? [] : [("Authorization", $"Bearer {token}")]);
    }

    private void Expect(RawAnswer answer, UseVerdict verdict, string error)
    {
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.Unauthorized), answer.Body);
        Assert.That(answer.Header("WWW-Authenticate"), error.Length == 0 ? Does.Not.Contain("error=") : Does.Contain($"error=\"{error}\""));
        Assert.That(Emulator.Ledger.Uses[^1].Verdict, Is.EqualTo(verdict));
    }
}
