using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>Makes the kinds of this package known to the configuration.</summary>
public static class AzureTokenExchangeBuilderExtensions
{
    // A library and its host may both call it. Goes with the builder.
    private static readonly ConditionalWeakTable<TokenExchangeBuilder, object> Told = [];

    /// <summary>Lets settings name the sources <c>ManagedIdentity</c> (ClientId, ObjectId or ResourceId) and <c>AzureWorkloadIdentity</c>, and the exchangers <c>Entra</c> (TenantId, ClientId, AuthorityHost and more), <c>EntraWorkloadIdentity</c> and <c>ManagedIdentity</c> (Resource).</summary>
    /// <param name="builder">The builder. A second call changes nothing.</param>
    /// <exception cref="ArgumentException">A kind of such a name is known already, of somebody else.</exception>
    public static TokenExchangeBuilder Azure(this TokenExchangeBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (Told.TryGetValue(builder, out _))
            return builder;
        builder
            .IdentitySourceKind("ManagedIdentity", AzureKinds.ManagedIdentitySource)
            .IdentitySourceKind("AzureWorkloadIdentity", _ => IdentitySources.AzureWorkloadIdentity())
            .ExchangerKind("Entra", AzureKinds.Entra)
            .ExchangerKind("EntraWorkloadIdentity", AzureKinds.EntraWorkloadIdentity)
            .ExchangerKind("ManagedIdentity", AzureKinds.ManagedIdentity);
        Told.AddOrUpdate(builder, builder.GetType());
        return builder;
    }
}
