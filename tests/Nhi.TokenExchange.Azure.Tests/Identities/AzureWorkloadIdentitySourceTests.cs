namespace Nhi.TokenExchange.Tests;

internal sealed class AzureWorkloadIdentitySourceTests
{
    private static SubjectTokenRequest Request => new() { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new ManualTimeProvider() };

    [Test]
    public async Task The_variable_and_its_file_are_read_at_each_exchange()
    {
        string folder = Directory.CreateTempSubdirectory("nhi").FullName;
        try
        {
            string path = Path.Combine(folder, "token-1");
            var source = new AzureWorkloadIdentitySource(name => name == "AZURE_FEDERATED_TOKEN_FILE" ? path : null);
            var read = new List<string>();
            foreach (string file in new[] { "token-1", "token-2", "token-2" })
            {
                path = Path.Combine(folder, file);
                await File.WriteAllTextAsync(path, Proofs.Of(("jti", $"{read.Count}")));
                read.Add((await source.GetSubjectTokenAsync(Request, default)).Reveal());
            }

            Assert.That(read, Is.EqualTo([Proofs.Of(("jti", "0")), Proofs.Of(("jti", "1")), Proofs.Of(("jti", "2"))]));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestCase(null, "is not set")]
    [TestCase("", "is not set")]
    [TestCase("token", "is not an absolute path")]
    public void A_variable_that_is_missing_or_wrong_is_named_with_what_sets_it(string? path, string said)
    {
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => new AzureWorkloadIdentitySource(_ => path).GetSubjectTokenAsync(Request, default).AsTask())!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.ProofUnavailable, false)));
        Assert.That(refused.Message, Does.Contain($"AZURE_FEDERATED_TOKEN_FILE {said}"));
        Assert.That(refused.Hint, path == "token" ? Does.Contain("The webhook sets it") : Does.Contain("azure.workload.identity/use: \"true\""));
    }

    [Test]
    public void Tenant_client_and_cloud_come_from_the_pods_variables()
    {
        TokenExchanger<BearerToken> entra = EntraEnvironment.Make(null, name => name switch { "AZURE_TENANT_ID" => EntraCalls.Tenant, "AZURE_CLIENT_ID" => EntraCalls.Client, "AZURE_AUTHORITY_HOST" => "https://login.microsoftonline.us/", _ => null });

        Assert.That((entra.Issuer.AbsoluteUri, entra.SubjectAudience.ToString()), Is.EqualTo(($"https://login.microsoftonline.us/{EntraCalls.Tenant}/v2.0", "api://AzureADTokenExchange")));
    }

    [TestCase(null, null, null, "AZURE_TENANT_ID and AZURE_CLIENT_ID are not set")]
    [TestCase(EntraCalls.Tenant, null, null, "AZURE_CLIENT_ID is not set")]
    [TestCase("", EntraCalls.Client, null, "AZURE_TENANT_ID is not set")]
    [TestCase("common", EntraCalls.Client, null, "AZURE_TENANT_ID is 'common', which is no tenant")]
    [TestCase(EntraCalls.Tenant, "x", null, "AZURE_CLIENT_ID is not the application (client) id")]
    [TestCase(EntraCalls.Tenant, EntraCalls.Client, "http://login.example", "AZURE_AUTHORITY_HOST is not an https address")]
    public void What_is_missing_or_wrong_there_is_named(string? tenant, string? client, string? authority, string said)
    {
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => EntraEnvironment.Make(null, name => name switch { "AZURE_TENANT_ID" => tenant, "AZURE_CLIENT_ID" => client, "AZURE_AUTHORITY_HOST" => authority, _ => null }))!;

        Assert.That((refused.Code, refused.Stage), Is.EqualTo((ErrorCodes.InvalidConfiguration, ExchangeStage.Configure)));
        Assert.That(refused.Message, Does.Contain(said).And.Contain("azure.workload.identity/use"));
    }
}
