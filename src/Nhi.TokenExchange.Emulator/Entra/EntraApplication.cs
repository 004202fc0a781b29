using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>An application registration with its service principals. It authenticates by federated assertions alone; it has no secret.</summary>
public sealed class EntraApplication
{
    private readonly ConcurrentDictionary<string, string> _principals = new(StringComparer.Ordinal);
    private readonly FederatedCredentials _credentials;
    private readonly EntraDirectory _directory;

    internal EntraApplication(EntraDirectory directory, string clientId)
    {
        _directory = directory;
        ClientId = clientId;
        TenantId = directory.TenantId;
        _credentials = new FederatedCredentials(directory);
        ObjectId = ConsentIn(TenantId);
    }

    /// <summary>The application (client) id, a GUID.</summary>
    public string ClientId { get; }

    /// <summary>The tenant of its registration.</summary>
    public string TenantId { get; }

    /// <summary>The object id of its service principal in <see cref="TenantId"/>: the claims <c>oid</c> and <c>sub</c> of its tokens there.</summary>
    public string ObjectId { get; }

    /// <summary>Whose assertions it takes; at most 20, issuer and subject together unique (<see cref="ArgumentException"/> otherwise).</summary>
    public IList<FederatedIdentityCredential> FederatedCredentials => _credentials;

    /// <summary>The app id URIs that it may get tokens for. Empty: every API that the directory knows.</summary>
    public IList<string> Resources { get; } = [];

    /// <summary>The application roles in its tokens (claim <c>roles</c>).</summary>
    public IList<string> Roles { get; } = [];

    /// <summary>Whether it may be used in tenants other than its own. Default false.</summary>
    public bool IsMultiTenant { get; set; }

    /// <summary>Whether it was switched off (AADSTS7000112). Default false.</summary>
    public bool IsDisabled { get; set; }

    /// <summary>Whether a Conditional Access policy for workload identities stops it (AADSTS53003). Default false.</summary>
    public bool BlockedByConditionalAccess { get; set; }

    /// <summary>The tenants in which it has a service principal.</summary>
    public IReadOnlyCollection<string> Tenants => [.. _principals.Keys];

    /// <summary>Gives it a service principal in a tenant. Set <see cref="IsMultiTenant"/> too where that is not its own.</summary>
    /// <param name="tenantId">The tenant.</param>
    /// <returns>The service principal's object id there.</returns>
    /// <exception cref="ArgumentException">The directory has no such tenant.</exception>
    public string ConsentIn(string tenantId) => _directory.HasTenant(tenantId)
        ? _principals.GetOrAdd(tenantId, _ => Guid.NewGuid().ToString())
        : throw new ArgumentException($"There is no tenant {tenantId}.", nameof(tenantId));

    /// <summary>Adds a federated identity credential for a job of the emulator's own issuer, with the cloud's recommended audience.</summary>
    /// <param name="job">The job.</param>
    /// <returns>This application.</returns>
    public EntraApplication Trust(JobIdentity job)
    {
        ArgumentNullException.ThrowIfNull(job);
        FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = _directory.OwnIssuer, Subject = job.Subject });
        return this;
    }

    /// <summary>Adds a federated identity credential for a managed identity (page: "Configure an application to trust a managed identity").</summary>
    /// <param name="identity">The identity; only user-assigned ones are taken at the exchange.</param>
    /// <returns>This application.</returns>
    public EntraApplication Trust(ManagedIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = _directory.IssuerOf(identity.TenantId), Subject = identity.ObjectId });
        return this;
    }

    internal (FederatedIdentityCredential[] Known, FederatedIdentityCredential[] Coming) CredentialsAt(DateTimeOffset now) => _credentials.At(now);

    internal string? PrincipalIn(string tenantId) =>
        tenantId == TenantId || IsMultiTenant ? _principals.GetValueOrDefault(tenantId) : null;
}
