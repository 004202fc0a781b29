namespace Nhi.TokenExchange;

/// <summary>What one caller wants that differs from the target's declaration. Unset members mean "as the target says".</summary>
public sealed class CredentialRequest
{
    // Zero until it is asked for. Whoever asks at the same time writes the same number.
    private int _keyHash;

    /// <summary>A subset of the target's scopes. Others are refused.</summary>
    public ScopeSet? Scopes { get; init; }

    /// <summary>The tenant to ask, where the issuer has tenants.</summary>
    public string? Tenant { get; init; }

    /// <summary>The claims of a challenge, as the resource sent them (a JSON object), where the issuer takes them.</summary>
    public string? Claims { get; init; }

    /// <summary>The program that it is for, where the job hands credentials on; null: the job itself. No two callers share a credential.</summary>
    public CredentialCaller? Caller { get; init; }

    /// <summary>The hash of <see cref="RequestKeys"/>, computed once: a caller that keeps its request pays for it once.</summary>
    internal int KeyHash => _keyHash != 0 ? _keyHash : _keyHash = RequestKeys.HashOf(this);
}
