namespace Nhi.TokenExchange;

/// <summary>Whose assertions an application takes in place of a secret. Issuer, subject and audience are compared exactly, with case, without trimming.</summary>
/// <remarks>Page: Entra "Important considerations and restrictions for federated identity credentials". Flexible credentials (expressions) are not imitated.</remarks>
public sealed record FederatedIdentityCredential
{
    /// <summary>The assertion's <c>iss</c>; at most 600 characters.</summary>
    public required string Issuer { get; init; }

    /// <summary>The assertion's <c>sub</c>; at most 600 characters. For a managed identity its object id.</summary>
    public required string Subject { get; init; }

    /// <summary>The one audience. Null: the cloud's recommended value, such as <c>api://AzureADTokenExchange</c>.</summary>
    public string? Audience { get; init; }

    /// <summary>From when on the servers know it; before, they answer AADSTS70021. Null: <see cref="EntraDirectory.PropagationDelay"/> after it was added.</summary>
    public DateTimeOffset? KnownFrom { get; init; }

    /// <summary>The issuer's keys as a JWK set. Null: the keys of the emulator's own issuer, or of Entra where the issuer is one of its tenants.</summary>
    public string? JwksJson { get; init; }
}
