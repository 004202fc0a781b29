namespace Nhi.TokenExchange.Tests;

/// <summary>The list of trust mistakes again, made at the emulator of Entra ID, which finds each by itself.</summary>
internal sealed class TrustMistakeOnEntraTests
{
    // What the emulator has no state for: a public client, another cloud, and what it numbers otherwise (a bad signature is 700027 there, a service connection 700213).
    private static readonly int[] NotThere = [700025, 90038, 50013, 7002137];

    private static IReadOnlyList<TrustMistake> Mistakes { get; } = [.. TrustMistake.All.Where(mistake => !NotThere.Contains(mistake.Code))];

    [Test]
    public void There_are_at_least_twenty_of_them() => Assert.That(Mistakes, Has.Count.GreaterThanOrEqualTo(20));

    [TestCaseSource(nameof(Mistakes))]
    public async Task P43_Each_mistake_in_a_trust_is_told_with_field_presented_and_expected(TrustMistake mistake)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o =>
        {
            o.Time = new ManualTimeProvider();
            o.ProofAlgorithm = o.EntraAlgorithm = "ES256";
        });
        using var backchannel = new HttpMessageInvoker(emulator.CreateHandler());
        string tenant = mistake.Code == 90002 ? EntraCalls.Tenant : emulator.Entra.TenantId;
        string issuer = mistake.IsAPersons ? emulator.Entra.IssuerOf() : mistake.Issuer;
        await ConfigureAsync(emulator, mistake, issuer);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Targets.Entra(tenant, EntraCalls.Client).ExchangeAsync(
            new ExchangeRequest
            {
                Target = "lake", Subject = new SubjectToken(Proof(emulator, mistake, issuer), SubjectTokenType.Jwt), Scopes = ScopeSet.Of(mistake.Scope), MaxLifetime = TimeSpan.FromHours(1),
                Job = new JobContext(), Backchannel = backchannel, Time = emulator.Time,
            }, default).AsTask())!;

        Assert.That(emulator.Ledger.Refusals.Single().Reason, Is.EqualTo($"AADSTS{mistake.Code}"));
        // The emulator's tenant has an id of its own, and its keys are for ES256.
        string presented = mistake.Presented.Replace($"tenant '{EntraCalls.Tenant}'", $"tenant '{tenant}'", StringComparison.Ordinal).Replace("RS256", "ES256", StringComparison.Ordinal);
        Assert.That(refused.Message, Does.Contain($"{mistake.Field}: presented ").And.Contain(presented));
        Assert.That(refused.Message, Does.Contain("expected ").And.Contain(mistake.Expected));
        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((mistake.Error, false)));
        Assert.That(refused.ToString(), Does.Not.Contain(emulator.Canaries.Proof));
    }

    private static async Task ConfigureAsync(IdentityEmulator emulator, TrustMistake mistake, string issuer)
    {
        using var http = new HttpClient();
        string keys = await http.GetStringAsync(new Uri($"{emulator.Issuer.OriginalString}/jwks"));
        EntraApplication application = emulator.Entra.AddApplication(mistake.Code == 700016 ? null : EntraCalls.Client);
        application.IsDisabled = mistake.Code == 7000112;
        if (mistake.Code != 70021)
            application.FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = mistake.IsAPersons ? issuer : mistake.RegisteredIssuer, Subject = mistake.RegisteredSubject, Audience = mistake.RegisteredAudience, JwksJson = keys });
    }

    private static string Proof(IdentityEmulator emulator, TrustMistake mistake, string issuer) =>
        emulator.JobIdentity(ProofShape.GitHub, mistake.Subject).Mint(mistake.ProofAudience, claims =>
        {
            claims.Issuer = issuer;
            claims.Lives(emulator.Time.GetUtcNow().AddSeconds(mistake.Life.From), TimeSpan.FromSeconds(mistake.Life.To - mistake.Life.From));
            claims.Payload["nbf"] = claims.Payload["iat"]!.DeepClone();
            if (mistake.IsAPersons)
                claims.Payload["scp"] = "user_impersonation";
            if (mistake.Code == 700027)
                claims.Header["kid"] = "key-1";
        });
}
