using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

[NonParallelizable]
internal sealed class AzureKindTests
{
    private const string Resource = "/subscriptions/0b1c0000-0000-4000-8000-0000000000cc/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/loader";

    private static readonly (string, string?)[] Good =
    [
        ("Identities:job:Source", "ManagedIdentity"), ("Identities:job:ClientId", EntraCalls.Client),
        ("Targets:lake:Identity", "job"), ("Targets:lake:Exchange", "Entra"), ("Targets:lake:TenantId", EntraCalls.Tenant), ("Targets:lake:ClientId", EntraCalls.Client), ("Targets:lake:Scopes:0", EntraCalls.Scope),
    ];

    private static Task StartAsync(bool withAzure, params (string Key, string? Value)[] changes) => StartAsync(withAzure, _ => { }, changes);

    private static async Task StartAsync(bool withAzure, Action<TokenExchangeBuilder> before, params (string Key, string? Value)[] changes)
    {
        var settings = Good.ToDictionary(setting => "TokenExchange:" + setting.Item1, setting => setting.Item2);
        foreach ((string key, string? value) in changes)
            settings["TokenExchange:" + key] = value;
        IConfigurationSection section = new ConfigurationBuilder().AddInMemoryCollection(settings.Where(setting => setting.Value is not null)).Build().GetSection("TokenExchange");
        await using JobSession job = await JobSession.StartAsync(builder =>
        {
            before(builder);
            builder.Configuration(section).EndOnSignals(false);
            if (withAzure)
                builder.Azure();
        });
    }

    private static string Refused(params (string Key, string? Value)[] changes) => Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(true, changes))!.Message;

    [Test]
    public void A_section_names_the_kinds_of_this_package()
    {
        (string, string?)[][] good =
        [
            [],
            [("Identities:job:ClientId", null)],
            [("Identities:job:ClientId", null), ("Identities:job:ObjectId", EntraCalls.Client)],
            [("Identities:job:ClientId", null), ("Identities:job:ResourceId", Resource)],
            [("Identities:job:ClientId", null), ("Identities:job:Source", "AzureWorkloadIdentity")],
            [("Targets:lake:AuthorityHost", "https://login.microsoftonline.us"), ("Targets:lake:SubjectAudience", "api://x"), ("Targets:lake:ExpectedIssuer", "https://i.example"), ("Targets:lake:ExpectedSubject", "s"), ("Targets:lake:PropagationBudget", "00:03:00"), ("Targets:lake:AllowedTenants:0", "fabrikam.example"), ("Targets:lake:AcceptClaimsChallenges", "true")],
            [("Targets:lake:Exchange", "ManagedIdentity"), ("Targets:lake:TenantId", null), ("Targets:lake:ClientId", null), ("Targets:lake:Scopes:0", null), ("Targets:lake:Resource", "https://storage.azure.com/.default")],
        ];

        foreach ((string, string?)[] changes in good)
            Assert.That(() => StartAsync(true, changes), Throws.Nothing);
    }

    [Test]
    public void A_pods_variables_stand_for_tenant_and_client()
    {
        string? tenant = Environment.GetEnvironmentVariable("AZURE_TENANT_ID"), client = Environment.GetEnvironmentVariable("AZURE_CLIENT_ID");
        (string, string?)[] pod = [("Targets:lake:Exchange", "EntraWorkloadIdentity"), ("Targets:lake:TenantId", null), ("Targets:lake:ClientId", null)];
        try
        {
            Environment.SetEnvironmentVariable("AZURE_TENANT_ID", null);
            Environment.SetEnvironmentVariable("AZURE_CLIENT_ID", null);
            Assert.That(Refused(pod), Does.Contain("AZURE_TENANT_ID and AZURE_CLIENT_ID are not set"));
            Environment.SetEnvironmentVariable("AZURE_TENANT_ID", EntraCalls.Tenant);
            Environment.SetEnvironmentVariable("AZURE_CLIENT_ID", EntraCalls.Client);
            Assert.That(() => StartAsync(true, pod), Throws.Nothing);
        }
        finally
        {
            Environment.SetEnvironmentVariable("AZURE_TENANT_ID", tenant);
            Environment.SetEnvironmentVariable("AZURE_CLIENT_ID", client);
        }
    }

    [TestCase("Targets:lake:TenantId", "common", "TokenExchange:Targets:lake:TenantId: is 'common', which is no tenant")]
    [TestCase("Targets:lake:TenantId", null, "TokenExchange:Targets:lake:TenantId: is missing")]
    [TestCase("Targets:lake:ClientId", "lake", "TokenExchange:Targets:lake:ClientId: is not the application (client) id")]
    [TestCase("Targets:lake:AuthorityHost", "https://login.example/tenant", "TokenExchange:Targets:lake:AuthorityHost")]
    [TestCase("Targets:lake:AllowedTenants:0", "organizations", "TokenExchange:Targets:lake:AllowedTenants:0: is 'organizations'")]
    [TestCase("Targets:lake:PropagationBudget", "00:06:00", "TokenExchange:Targets:lake:PropagationBudget")]
    [TestCase("Targets:lake:AcceptClaimsChallenges", "yes", "is neither true nor false")]
    [TestCase("Targets:lake:Tenant", EntraCalls.Tenant, "TokenExchange:Targets:lake:Tenant: is an unknown setting. Did you mean TenantId?")]
    [TestCase("Targets:lake:Scopes:0", "https://storage.azure.com/user_impersonation", "TokenExchange:Targets:lake:Scopes")]
    [TestCase("Targets:lake:Scopes:1", "https://graph.microsoft.com/.default", "are 2")]
    [TestCase("Identities:job:ClientId", "loader", "TokenExchange:Identities:job:ClientId: is not the application")]
    [TestCase("Identities:job:ObjectId", EntraCalls.Client, "names the identity more than once")]
    [TestCase("Identities:job:ResourceId", "/subscriptions/x", "TokenExchange:Identities:job:ResourceId: is not that of a user-assigned identity")]
    [TestCase("Targets:lake:ClientSecret", "x", "\"Exchange\": \"Entra\", \"TenantId\": \"…\", \"ClientId\": \"…\", and give the application a federated identity credential")]
    public void What_is_wrong_is_said_with_its_path(string key, string? value, string said) => Assert.That(Refused((key, value)), Does.Contain(said));

    [Test]
    public void A_resource_that_is_none_is_said_with_its_path() => Assert.That(
        Refused(("Targets:lake:Exchange", "ManagedIdentity"), ("Targets:lake:TenantId", null), ("Targets:lake:ClientId", null), ("Targets:lake:Scopes:0", null), ("Targets:lake:Resource", "storage")),
        Does.Contain("TokenExchange:Targets:lake:Resource: is not the App ID URI"));

    [Test]
    public void Without_the_package_the_error_names_it_and_what_to_call()
    {
        string message = Assert.ThrowsAsync<TokenExchangeException>(() => StartAsync(false))!.Message;

        Assert.That(message, Does.Contain("TokenExchange:Identities:job:Source: 'ManagedIdentity' is not known").And.Contain("TokenExchange:Targets:lake:Exchange: 'Entra' is not known"));
        Assert.That(message, Does.Contain("package Nhi.TokenExchange.Azure: reference it and call builder.Azure()"));
    }

    [TestCase("Targets:lake:TenantId")]
    [TestCase("Targets:lake:ClientId")]
    [TestCase("Identities:job:ClientId")]
    public void No_text_passes_for_an_id_because_it_is_what_stands_in_for_a_missing_one(string key) => Assert.That(Refused((key, "placeholder")), Does.Contain($"TokenExchange:{key}: is "));

    [TestCase("TenantId")]
    [TestCase("ClientId")]
    public void A_setting_that_is_missing_or_empty_is_said_once(string name)
    {
        foreach (string? value in new[] { null, "" })
            Assert.That(Refused(($"Targets:lake:{name}", value)).Split($"TokenExchange:Targets:lake:{name}: ").Length - 1, Is.EqualTo(1));
    }

    [Test]
    public void The_package_may_be_named_twice_and_its_kinds_are_still_nobody_elses()
    {
        Assert.That(() => StartAsync(true, builder => builder.Azure()), Throws.Nothing);
        Assert.That(() => StartAsync(true, builder => builder.IdentitySourceKind("ManagedIdentity", _ => IdentitySources.ManagedIdentity())), Throws.ArgumentException);
    }

    [Test]
    public void The_switch_for_persons_has_no_setting() => Assert.That(Refused(("Identities:job:ActsFor", "PersonInDevelopment")), Does.Contain("TokenExchange:Identities:job:ActsFor"));
}
