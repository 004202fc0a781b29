using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

/// <summary>docs/faults.md, settings: those of this package.</summary>
internal sealed class BadAzureSettingsTests
{
    [TestCase("common")]
    [TestCase("Organizations")]
    [TestCase("consumers")]
    public void B19_A_tenant_that_stands_for_many_is_refused(string tenant) => AssertRefused(tenant, $"is '{tenant}', which is no tenant: a job has one (AADSTS50194)");

    [TestCase("contoso canary")]
    [TestCase("00000000-0000-0000-0000-000000000000")]
    public void B19_A_tenant_that_is_none_is_refused_and_not_shown(string tenant) => AssertRefused(tenant, "is ");

    private static void AssertRefused(string tenant, string what)
    {
        IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["TokenExchange:Identities:job:Source"] = "ManagedIdentity",
            ["TokenExchange:Targets:lake:Identity"] = "job",
            ["TokenExchange:Targets:lake:Exchange"] = "Entra",
            ["TokenExchange:Targets:lake:TenantId"] = tenant,
            ["TokenExchange:Targets:lake:ClientId"] = EntraCalls.Client,
            ["TokenExchange:Targets:lake:Scopes:0"] = EntraCalls.Scope,
        }).Build().GetSection("TokenExchange");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(builder => builder.Azure().Configuration(section).EndOnSignals(false)))!;

        Assert.That((refused.Code, refused.Stage), Is.EqualTo(("NHI1001", ExchangeStage.Configure)));
        Assert.That(refused.Message, Does.StartWith($"NHI1001 TokenExchange:Targets:lake:TenantId: {what}").And.EndWith("Write the tenant's id, which the Entra admin center shows under Overview."));
        Assert.That(refused.ToString(), Does.Not.Contain("canary"));
    }
}
