using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Types of <see cref="TokenCredential"/> that are no workload's, known by name: this package references no other of Azure's than Azure.Core.</summary>
internal static class CredentialTypes
{
    // learn.microsoft.com/dotnet/api/azure.identity: who is signed in, somewhere on this machine.
    private static readonly string[] OfAPerson =
    [
        "AzureCliCredential", "AzurePowerShellCredential", "AzureDeveloperCliCredential", "InteractiveBrowserCredential", "DeviceCodeCredential",
        "VisualStudioCredential", "VisualStudioCodeCredential", "UsernamePasswordCredential", "SharedTokenCacheCredential", "AuthorizationCodeCredential",
        "OnBehalfOfCredential", "BrokerCredential", "BrokeredCredential", "InteractiveBrowserBrokerCredential", "DevelopmentBrokerCredential", "MicrosoftBrokerCredential",
    ];

    private static readonly string[] OfAChain = ["DefaultAzureCredential", "ChainedTokenCredential"];

    // The second reads a secret, a password or a certificate from variables, whichever there is.
    private static readonly string[] OfASecret = ["ClientSecretCredential", "EnvironmentCredential"];

    /// <returns>Whether it is, or may fall back to, a person's.</returns>
    /// <exception cref="TokenExchangeException">It holds a static secret, or is or may be a person's where none is allowed.</exception>
    public static bool Check(TokenCredential credential, bool allowPerson)
    {
        bool isAPersons = false;
        // A class derived from one of them is one of them.
        for (Type? type = credential.GetType(); type is not null && type != typeof(TokenCredential); type = type.BaseType)
        {
            if (OfASecret.Contains(type.Name))
            {
                throw new TokenExchangeException(ErrorCodes.StaticSecret, ExchangeStage.Configure, $"{type.Name} holds a static secret, which has no place here.")
                {
                    Hint = "Prove the job by IdentitySources.ManagedIdentity(), AzureWorkloadIdentity(), GitHubActions() or OidcFile(path), exchange it by Targets.Entra(tenantId, clientId), then delete the secret of the application and look into the sign-in log for who still used it.",
                };
            }
            bool mayBeAPersons = OfAChain.Contains(type.Name);
            if (!mayBeAPersons && !OfAPerson.Contains(type.Name))
                continue;
            isAPersons = true;
            if (!allowPerson)
            {
                throw new TokenExchangeException(ErrorCodes.ProofOfAPerson, ExchangeStage.Configure, mayBeAPersons
                    ? $"{type.Name} asks one credential after another and may end with a person's; one identity has one source."
                    : $"{type.Name} is a person's. Jobs act for themselves.")
                {
                    Hint = "Name the source of the place where the job runs, such as IdentitySources.ManagedIdentity(). On a developer's own machine: IdentitySources.From(credential, allowPersonInDevelopment: true) with ActsFor.PersonInDevelopment, which is audited.",
                };
            }
        }
        return isAPersons;
    }
}
