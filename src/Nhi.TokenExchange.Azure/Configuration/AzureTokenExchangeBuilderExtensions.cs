namespace Nhi.TokenExchange;

/// <summary>Makes the kinds of this package known to the configuration.</summary>
public static class AzureTokenExchangeBuilderExtensions
{
    /// <summary>Lets settings name the sources <c>ManagedIdentity</c> (ClientId, ObjectId or ResourceId) and <c>AzureWorkloadIdentity</c>, and the exchangers <c>Entra</c> (TenantId, ClientId, AuthorityHost and more), <c>EntraWorkloadIdentity</c> and <c>ManagedIdentity</c> (Resource).</summary>
    /// <param name="builder">The builder. Call this once.</param>
    /// <exception cref="ArgumentException">The kinds are known already.</exception>
    public static TokenExchangeBuilder Azure(this TokenExchangeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder
            .IdentitySourceKind("ManagedIdentity", AzureKinds.ManagedIdentitySource)
            .IdentitySourceKind("AzureWorkloadIdentity", _ => IdentitySources.AzureWorkloadIdentity())
            .ExchangerKind("Entra", AzureKinds.Entra)
            .ExchangerKind("EntraWorkloadIdentity", AzureKinds.EntraWorkloadIdentity)
            .ExchangerKind("ManagedIdentity", AzureKinds.ManagedIdentity);
    }
}
