namespace Nhi.TokenExchange;

/// <summary>The exchangers of this package: write <c>Targets.Entra(tenantId, clientId)</c>.</summary>
public static class AzureTargets
{
    extension(Targets)
    {
        /// <summary>Microsoft Entra ID: any proof that a federated identity credential of an application, or of a user-assigned identity, trusts.</summary>
        /// <remarks>
        /// The target has exactly one scope, <c>{resource}/.default</c>. A credential lives 60 to 90 minutes, or as a policy of the tenant says, and can't be asked to live
        /// shorter. It can't be revoked: it dies by itself; only disabling the application and continuous access evaluation (Microsoft Graph) end it
        /// sooner. Name the target's <c>AllowedOrigins</c>: the API is elsewhere than its issuer.
        /// </remarks>
        /// <param name="tenantId">The tenant that is asked: a GUID or a domain; never <c>common</c>.</param>
        /// <param name="clientId">The application (client) id: a GUID.</param>
        /// <param name="configure">Cloud, audience of the proof, further tenants, what is registered.</param>
        /// <exception cref="ArgumentException">Tenant, client or an option is wrong.</exception>
        public static TokenExchanger<BearerToken> Entra(string tenantId, string clientId, Action<EntraOptions>? configure = null)
        {
            var options = new EntraOptions();
            configure?.Invoke(options);
            return new EntraExchanger(tenantId, clientId, options);
        }

        /// <summary>As <c>Entra</c>, with what the webhook of Azure workload identity sets in a pod: <c>AZURE_TENANT_ID</c>, <c>AZURE_CLIENT_ID</c> and, if set, <c>AZURE_AUTHORITY_HOST</c>. Goes with <c>IdentitySources.AzureWorkloadIdentity()</c>.</summary>
        /// <remarks>The variables are read here, once: they are fixed for the life of a pod.</remarks>
        /// <param name="configure">Changes what the variables gave.</param>
        /// <exception cref="TokenExchangeException">A variable is missing or wrong; it is named.</exception>
        /// <exception cref="ArgumentException">An option is wrong.</exception>
        public static TokenExchanger<BearerToken> EntraWorkloadIdentity(Action<EntraOptions>? configure = null) => EntraEnvironment.Make(configure, Environment.GetEnvironmentVariable);

        /// <summary>The managed identity used directly: nothing is exchanged, the platform's token for a resource is the credential.</summary>
        /// <remarks>
        /// For resources that the identity itself may reach. Its identity's source is <c>IdentitySources.ManagedIdentity()</c>. Such a token lives up to a day, is the same for every
        /// process of the host, and can't be revoked: reports and audit say so, and a policy can forbid it (<see cref="AccessRequest.IsPlatformIssued"/>). The target's
        /// <c>MaxLifetime</c> caps how long it is handed out, not how long it lives.
        /// </remarks>
        /// <param name="resource">The App ID URI of the API, such as <c>https://storage.azure.com</c>, or its application id; a <c>/.default</c> is taken off.</param>
        /// <exception cref="ArgumentException">It is none.</exception>
        public static TokenExchanger<BearerToken> ManagedIdentity(string resource) => new ManagedIdentityExchanger(resource);
    }
}
