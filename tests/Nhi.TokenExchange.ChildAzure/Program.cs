using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Identity;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.AppConfig;

// Azure's clients as they are published, in a process of their own: they find a managed identity by environment variables, and keep what they found.
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
        _ => throw new ArgumentException($"There is no '{sdk}'."),
    };
    string fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)))[..16];
    Console.WriteLine(JsonSerializer.Serialize(new { fingerprint, ends }));
    return 0;
}
catch (Exception exception) when (exception is MsalException or AuthenticationFailedException)
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

async Task<(string Token, DateTimeOffset Ends)> ByMsalAsync()
{
    IManagedIdentityApplication application = ManagedIdentityApplicationBuilder
        .Create(clientId is null ? Microsoft.Identity.Client.AppConfig.ManagedIdentityId.SystemAssigned : Microsoft.Identity.Client.AppConfig.ManagedIdentityId.WithUserAssignedClientId(clientId)).Build();
    AuthenticationResult result = await application.AcquireTokenForManagedIdentity(resource).ExecuteAsync();
    return (result.AccessToken, result.ExpiresOn);
}
