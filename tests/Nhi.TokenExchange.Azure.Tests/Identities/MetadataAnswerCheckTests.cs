namespace Nhi.TokenExchange.Tests;

[NonParallelizable]
internal sealed class MetadataAnswerCheckTests
{
    private const string Vault = "https://vault.azure.net";
    private const string Id = "0b1c0000-0000-4000-8000-0000000000bb";
    private const string OtherId = "0b1c0000-0000-4000-8000-0000000000dd";

    private static async Task AskAsync(string asked, string? resource, string? audience, AzureManagedIdentityId? id = null, string clientId = Id)
    {
        using var host = HostVariables.VirtualMachine();
        string token = audience is null ? Proofs.Token() : Proofs.ManagedIdentity(audience);
        var wire = new Wire(Wire.Json($$"""{"access_token":"{{token}}","client_id":"{{clientId}}","expires_on":"{{Proofs.Now.AddHours(24).ToUnixTimeSeconds()}}"{{(resource is null ? "" : $",\"resource\":\"{resource}\"")}}}"""));
        await new ManagedIdentitySource(id ?? AzureManagedIdentityId.SystemAssigned, wire)
            .GetSubjectTokenAsync(new SubjectTokenRequest { Audience = new Audience(asked), Backchannel = new Wire().Backchannel, Time = new SkippingTime() }, default);
    }

    [TestCase(Vault, "https://graph.microsoft.com", null, "resource")]
    [TestCase(Vault, "https://vault.azure.net//", null, "resource")]
    [TestCase(Vault, null, "https://graph.microsoft.com", "audience (aud)")]
    [TestCase(Vault, Vault, "api://vault", "audience (aud)")]
    [TestCase("api://AzureADTokenExchange", null, "https://management.azure.com/", "audience (aud)")]
    public void S13_A_token_for_something_else_is_refused_and_both_are_named(string asked, string? resource, string? audience, string what)
    {
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => AskAsync(asked, resource, audience))!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofForAnotherAudience, false)));
        Assert.That(refused.Message, Does.Contain($"for {what} '{(what == "resource" ? resource : audience)}'; asked was '{asked}'"));
        Proofs.AssertNothingShown(refused);
    }

    [TestCase(Vault, null, null)]
    [TestCase(Vault, "", Vault)]
    [TestCase(Vault, "https://Vault.azure.net/", "https://vault.azure.net/")]
    [TestCase("https://vault.azure.net/", Vault, Vault)]
    [TestCase(Vault, Vault, OtherId)]
    [TestCase(Vault, Vault, "spn:" + OtherId)]
    [TestCase(OtherId, OtherId, Vault)]
    public void A_slash_a_case_and_an_audience_that_is_a_GUID_are_no_mismatch(string asked, string? resource, string? audience) =>
        Assert.That(() => AskAsync(asked, resource, audience), Throws.Nothing);

    [Test]
    public void A_token_of_another_identity_than_the_named_one_is_refused()
    {
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => AskAsync(Vault, Vault, null, AzureManagedIdentityId.FromClientId(Id), OtherId))!;

        Assert.That(refused.Code, Is.EqualTo(ErrorCodes.ProofForAnotherAudience));
        Assert.That(refused.Message, Does.Contain($"of client id '{OtherId}'; asked was '{Id}'"));
        Assert.That(() => AskAsync(Vault, Vault, null, AzureManagedIdentityId.FromClientId(Id), Id.ToUpperInvariant()), Throws.Nothing);
        Assert.That(() => AskAsync(Vault, Vault, null, AzureManagedIdentityId.FromObjectId(Id), OtherId), Throws.Nothing, "its client id was not asked");
    }
}
