using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>The identity sources of this package: write <c>IdentitySources.ManagedIdentity()</c>.</summary>
public static class AzureIdentitySources
{
    extension(IdentitySources)
    {
        /// <summary>The managed identity of the machine, app or container that the job runs on.</summary>
        /// <remarks>
        /// Every host that MSAL knows: virtual machines, scale sets and AKS nodes, App Service, Functions, Container Apps, Service Fabric, Azure Arc and Azure
        /// Machine Learning. Cloud Shell is refused: its identity is a person's. The token is an access token of Entra ID for the audience asked; every
        /// process on the host can get the same one, the platform keeps it for up to a day and may hand out the same one again. MSAL's cache is
        /// passed by: one cache, the job's. MSAL is given no token to keep, so those of its other users stay there. A host that a variable declares is waited for up to 30 seconds;
        /// where nothing declares one and nothing takes a connection, that fails within 3 seconds, and is final 30 seconds after the first asking: a machine in start-up may not have it yet.
        /// Plain http is spoken to loopback, link-local and private addresses alone. A token for another resource or client id than asked is refused.
        /// </remarks>
        /// <param name="id">Which one; null for the system-assigned.</param>
        public static IWorkloadIdentitySource ManagedIdentity(AzureManagedIdentityId? id = null) => new ManagedIdentitySource(id ?? AzureManagedIdentityId.SystemAssigned);

        /// <summary>The projected service account token of a pod with Azure workload identity (AKS, or the webhook elsewhere), read anew for each exchange.</summary>
        /// <remarks>Its file is what <c>AZURE_FEDERATED_TOKEN_FILE</c> names, read at each exchange; its audience is fixed by the webhook: <c>api://AzureADTokenExchange</c>. For another issuer than Entra ID project a second token and read it by <see cref="IdentitySources.OidcFile"/>.</remarks>
        public static IWorkloadIdentitySource AzureWorkloadIdentity() => new AzureWorkloadIdentitySource();

        /// <summary>Any <see cref="TokenCredential"/> of an Azure SDK, asked for the scope <c>{audience}/.default</c>.</summary>
        /// <remarks>
        /// Refused before it is asked, by the name of its type: what holds a static secret (<c>ClientSecretCredential</c>, <c>EnvironmentCredential</c>), always;
        /// what is or may fall back to a person (Azure CLI, PowerShell, browser, device code, Visual Studio, <c>DefaultAzureCredential</c>, <c>ChainedTokenCredential</c>),
        /// unless the switch says otherwise. The token is looked at all the same. The credential keeps a cache of its own: a new proof can't be forced. Its transport,
        /// proxy and clock are its own, too. A certificate (<c>ClientCertificateCredential</c>) is taken, since its key may lie in hardware; keep it there.
        /// </remarks>
        /// <param name="credential">What to ask. It stays its maker's: never disposed of here.</param>
        /// <param name="allowPersonInDevelopment">Takes a person's credential, on his own machine. Whatever its token shows, one of a type that is or may fall back to a person's must then be declared with <see cref="ActsFor.PersonInDevelopment"/>, which demands the environment <c>Development</c>; policy and audit are told. Nothing changes for other types.</param>
        /// <exception cref="TokenExchangeException">The credential is of a type that is refused.</exception>
        public static IWorkloadIdentitySource From(TokenCredential credential, bool allowPersonInDevelopment = false)
        {
            ArgumentNullException.ThrowIfNull(credential);
            return new TokenCredentialSource(credential, allowPersonInDevelopment);
        }
    }
}
