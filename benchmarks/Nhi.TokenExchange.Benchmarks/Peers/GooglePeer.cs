using System.Text.Json;
using Google.Apis.Auth.OAuth2;
using Google.Apis.Http;

namespace Nhi.TokenExchange;

/// <summary>Makes Google's external account: a proof in a file, exchanged by RFC 8693.</summary>
public static class GooglePeer
{
    private const string Audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/provider";

    public static ITokenAccess Create(InMemoryIssuer issuer)
    {
        string configuration = JsonSerializer.Serialize(new
        {
            type = "external_account",
            audience = Audience,
            subject_token_type = "urn:ietf:params:oauth:token-type:jwt",
            token_url = "https://sts.googleapis.com/v1/token",
            credential_source = new { file = ProofFiles.Write("google.jwt", Proofs.For(Audience, TimeProvider.System.GetUtcNow())) },
        });
        GoogleCredential credential = CredentialFactory.FromJson<FileSourcedExternalAccountCredential>(configuration).ToGoogleCredential()
            .CreateWithHttpClientFactory(new HttpClientFromMessageHandlerFactory(_ => new HttpClientFromMessageHandlerFactory.ConfiguredHttpMessageHandler(issuer, false, false)))
            .CreateScoped("https://resource.example/read");
        return credential.UnderlyingCredential;
    }
}
