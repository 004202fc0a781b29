using System.Text.Json.Nodes;
using Google.Apis.Auth.OAuth2;

namespace Nhi.TokenExchange;

/// <summary>The emulator of Google Cloud, seen by Google's client library for .NET as it is published.</summary>
internal sealed class GoogleClientTests
{
    private const string Account = "loader@my-project.iam.gserviceaccount.com";

    [Test]
    public async Task Googles_client_gets_a_token_by_federation_and_as_a_service_account([Values] bool impersonates)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        PoolProvider provider = emulator.Google.AddProvider("jobs", "github");
        emulator.Google.AddServiceAccount(Account, identity.Subject);
        string folder = Directory.CreateTempSubdirectory("google").FullName;
        try
        {
            string proof = Path.Combine(folder, "token");
            identity.WriteProofFile(proof, $"https://iam.googleapis.com/{provider.Name}");
            var file = new JsonObject
            {
                ["type"] = "external_account", ["audience"] = $"//iam.googleapis.com/{provider.Name}", ["subject_token_type"] = "urn:ietf:params:oauth:token-type:jwt",
                ["token_url"] = new Uri(emulator.Google.Endpoint, "/v1/token").AbsoluteUri, ["credential_source"] = new JsonObject { ["file"] = proof },
            };
            if (impersonates)
                file["service_account_impersonation_url"] = new Uri(emulator.Google.Endpoint, $"/v1/projects/-/serviceAccounts/{Account}:generateAccessToken").AbsoluteUri;
            GoogleCredential credential = CredentialFactory.FromJson<FileSourcedExternalAccountCredential>(file.ToJsonString()).ToGoogleCredential().CreateScoped("https://www.googleapis.com/auth/cloud-platform");

            string token = await credential.UnderlyingCredential.GetAccessTokenForRequestAsync();

            LedgerIssue last = emulator.Ledger.Issued[^1];
            Assert.That((last.Fingerprint, emulator.Ledger.Issued.Count), Is.EqualTo((Ledger.FingerprintOf(token), impersonates ? 2 : 1)));
            Assert.That(last.Subject, impersonates ? Is.EqualTo($"serviceAccount:{Account}") : Does.EndWith($"/subject/{identity.Subject}"));
            Assert.That(emulator.Ledger.Refusals, Is.Empty);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
