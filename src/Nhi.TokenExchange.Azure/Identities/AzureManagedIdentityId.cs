namespace Nhi.TokenExchange;

/// <summary>Which managed identity is meant: the one that belongs to the resource itself, or one that was assigned to it.</summary>
/// <remarks>Named with its vendor: <c>Azure.Identity</c> and MSAL each have a <c>ManagedIdentityId</c>, and many files use one of them beside this library.</remarks>
public sealed class AzureManagedIdentityId
{
    private readonly string _text;

    private AzureManagedIdentityId(string text, Microsoft.Identity.Client.AppConfig.ManagedIdentityId forMsal)
    {
        _text = text;
        ForMsal = forMsal;
    }

    /// <summary>The identity of the resource itself.</summary>
    public static AzureManagedIdentityId SystemAssigned { get; } = new("system-assigned", Microsoft.Identity.Client.AppConfig.ManagedIdentityId.SystemAssigned);

    internal Microsoft.Identity.Client.AppConfig.ManagedIdentityId ForMsal { get; }

    /// <summary>The client id, where it was named by that.</summary>
    internal string? ClientId { get; private init; }

    internal bool IsSystemAssigned => ReferenceEquals(this, SystemAssigned);

    /// <summary>A user-assigned identity by its client id: what most hosts take.</summary>
    /// <param name="clientId">The client (application) id: a GUID.</param>
    /// <exception cref="ArgumentException">It is no GUID.</exception>
    public static AzureManagedIdentityId FromClientId(string clientId) =>
        new($"client id {Guid(clientId, nameof(clientId))}", Microsoft.Identity.Client.AppConfig.ManagedIdentityId.WithUserAssignedClientId(Guid(clientId, nameof(clientId)))) { ClientId = clientId };

    /// <summary>A user-assigned identity by its object (principal) id: what Service Fabric takes.</summary>
    /// <param name="objectId">The object id of its service principal: a GUID.</param>
    /// <exception cref="ArgumentException">It is no GUID.</exception>
    public static AzureManagedIdentityId FromObjectId(string objectId) =>
        new($"object id {Guid(objectId, nameof(objectId))}", Microsoft.Identity.Client.AppConfig.ManagedIdentityId.WithUserAssignedObjectId(Guid(objectId, nameof(objectId))));

    /// <summary>A user-assigned identity by its resource id in Azure Resource Manager.</summary>
    /// <param name="resourceId">Such as <c>/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…</c>.</param>
    /// <exception cref="ArgumentException">It is no such id.</exception>
    public static AzureManagedIdentityId FromResourceId(string resourceId)
    {
        ArgumentException.ThrowIfNullOrEmpty(resourceId);
        if (FlawOfResourceId(resourceId) is { } flaw)
            throw new ArgumentException($"The resource id {flaw}.", nameof(resourceId));
        return new($"resource id {resourceId}", Microsoft.Identity.Client.AppConfig.ManagedIdentityId.WithUserAssignedResourceId(resourceId));
    }

    /// <summary>Which kind of id, and the id. Nothing in it is secret.</summary>
    public override string ToString() => _text;

    /// <summary>Says what is wrong with a resource id; null if nothing is.</summary>
    internal static string? FlawOfResourceId(string resourceId)
    {
        string[] parts = resourceId.Split('/');
        bool isIdentity = parts.Length == 9 && parts[0].Length == 0 && Is(parts[1], "subscriptions") && System.Guid.TryParseExact(parts[2], "D", out _) && Is(parts[3], "resourceGroups")
            && Is(parts[5], "providers") && Is(parts[6], "Microsoft.ManagedIdentity") && Is(parts[7], "userAssignedIdentities") && parts[4].Length > 0 && parts[8].Length > 0;
        if (!isIdentity)
            return "is not that of a user-assigned identity: /subscriptions/{guid}/resourceGroups/{name}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}";
        return resourceId.Any(c => c is < '!' or > '~' or '?' or '#' or '&' or '%' or '\\' or '"') ? "has a character that no resource id has" : null;
    }

    private static bool Is(string left, string right) => string.Equals(left, right, StringComparison.OrdinalIgnoreCase);

    private static string Guid(string text, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, name);
        return System.Guid.TryParseExact(text, "D", out Guid id) && id != System.Guid.Empty
            ? text
            : throw new ArgumentException("The id is not a GUID such as 6f1c1f3e-0000-4000-8000-00000000beef.", name);
    }
}
