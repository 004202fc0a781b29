namespace Nhi.TokenExchange;

/// <summary>A service principal (or user) of the Databricks-style workspace.</summary>
public sealed class ServicePrincipal
{
    internal ServicePrincipal(string name) => Name = name;

    /// <summary>The application id (UUID) of a service principal, or a user's name.</summary>
    public string Name { get; }

    /// <summary>The scopes that it may ask for.</summary>
    public IList<string> Scopes { get; } = [];

    /// <summary>Its federation policies; each names a subject.</summary>
    public IList<FederationPolicy> Policies { get; } = [];
}
