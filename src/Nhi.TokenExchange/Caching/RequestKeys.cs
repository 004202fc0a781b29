namespace Nhi.TokenExchange;

/// <summary>A request as a key: all that shapes the credential within one target of one job.</summary>
/// <remarks>
/// Structural and ordinal: each member is compared with its like, so no separator inside a value can make two requests meet. The sets
/// of scopes are sorted already. What is unset differs from what is empty, as it does for the pipeline. Hashes of strings are seeded anew in each process,
/// so nobody can prepare keys that collide.
/// </remarks>
internal sealed class RequestKeys : IEqualityComparer<CredentialRequest>
{
    public static readonly RequestKeys Comparer = new();

    public bool Equals(CredentialRequest? x, CredentialRequest? y) =>
        ReferenceEquals(x, y)
        || (x is not null && y is not null
            && x.Scopes == y.Scopes
            && string.Equals(x.Tenant, y.Tenant, StringComparison.Ordinal)
            && string.Equals(x.Claims, y.Claims, StringComparison.Ordinal)
            && Equals(x.Caller, y.Caller));

    public int GetHashCode(CredentialRequest obj) => obj.KeyHash;

    /// <summary>The hash of all members; what a request remembers.</summary>
    public static int HashOf(CredentialRequest request) => HashCode.Combine(HashOf(request.Scopes?.ToString()), HashOf(request.Tenant), HashOf(request.Claims), HashOf(request.Caller?.Id));

    private static int HashOf(string? text) => text is null ? 0 : text.GetHashCode(StringComparison.Ordinal);
}
