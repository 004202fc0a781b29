namespace Nhi.TokenExchange;

/// <summary>A managed identity that the emulated hosts hand out tokens for.</summary>
public sealed class ManagedIdentity
{
    internal ManagedIdentity(string tenantId, string resourceId, bool isSystemAssigned)
    {
        TenantId = tenantId;
        ResourceId = resourceId;
        IsSystemAssigned = isSystemAssigned;
    }

    /// <summary>Its tenant: the claim <c>tid</c>.</summary>
    public string TenantId { get; }

    /// <summary>Its client id: the claim <c>appid</c> or <c>azp</c>.</summary>
    public string ClientId { get; } = Guid.NewGuid().ToString();

    /// <summary>The object id of its service principal: the claims <c>oid</c> and <c>sub</c>, and the subject in a federated identity credential.</summary>
    public string ObjectId { get; } = Guid.NewGuid().ToString();

    /// <summary>The ARM id of the identity, or of the machine whose system-assigned identity it is: the claim <c>xms_mirid</c>.</summary>
    public string ResourceId { get; }

    /// <summary>Whether it belongs to the machine. Such an identity can't be the credential of an application.</summary>
    public bool IsSystemAssigned { get; }

    internal bool IsPerson { get; init; }

    /// <summary>Names the ARM id.</summary>
    public override string ToString() => $"ManagedIdentity({ResourceId})";
}
