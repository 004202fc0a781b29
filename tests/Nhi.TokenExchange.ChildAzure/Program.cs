using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.AppConfig;
using Nhi.TokenExchange;

// Azure's clients as they are published, and ours, in a process of their own: they find a managed identity by environment variables, and MSAL keeps what it found.
// child SDK RESOURCE [CLIENT-ID]; prints a line of JSON: fingerprint and end of the token (never the token), or the error.
string sdk = args[0];
string resource = args[1];
string? clientId = args.Length > 2 ? args[2] : null;
try
{
    (string token, DateTimeOffset ends) = sdk switch
    {
        "azure-identity" => await ByAzureIdentityAsync(),
        "msal" => await ByMsalAsync(),
        "ours" => await ByOursAsync(),
        _ => throw new ArgumentException($"There is no '{sdk}'."),
    };
    string fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))[..16];
    Console.WriteLine(JsonSerializer.Serialize(new { fingerprint, ends }));
    return 0;
}
catch (Exception exception) when (exception is MsalException or AuthenticationFailedException or TokenExchangeException)
{
    Console.WriteLine(JsonSerializer.Serialize(new { error = exception.GetType().Name, message = exception.Message }));
    return 0;
}

async Task<(string Token, DateTimeOffset Ends)> ByAzureIdentityAsync()
{
    var credential = new ManagedIdentityCredential(clientId is null ? Azure.Identity.ManagedIdentityId.SystemAssigned : Azure.Identity.ManagedIdentityId.FromUserAssignedClientId(clientId));
    AccessToken token = await credential.GetTokenAsync(new TokenRequestContext([$"{resource}/.default"]), CancellationToken.None);
    return (token.Token, token.ExpiresOn);
}

// Two jobs, one after the other: what the first one got is not the second one's.
async Task<(string Token, DateTimeOffset Ends)> ByOursAsync()
{
    BearerToken? token = null;
    for (int number = 1; number <= 2; number++)
    {
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("machine", IdentitySources.ManagedIdentity(clientId is null ? null : AzureManagedIdentityId.FromClientId(clientId)))
            .Target("lake", Targets.ManagedIdentity(resource), "machine"));
        token = await job.Provider<BearerToken>("lake").GetAsync();
    }
    return (token!.Reveal(), token.ExpiresAt);
}

async Task<(string Token, DateTimeOffset Ends)> ByMsalAsync()
{
    IManagedIdentityApplication application = ManagedIdentityApplicationBuilder
        .Create(clientId is null ? Microsoft.Identity.Client.AppConfig.ManagedIdentityId.SystemAssigned : Microsoft.Identity.Client.AppConfig.ManagedIdentityId.WithUserAssignedClientId(clientId)).Build();
    AuthenticationResult result = await application.AcquireTokenForManagedIdentity(resource).ExecuteAsync();
    return (result.AccessToken, result.ExpiresOn);
}
