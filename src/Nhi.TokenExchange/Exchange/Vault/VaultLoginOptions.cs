namespace Nhi.TokenExchange;

/// <summary>Options of a login to Vault or OpenBao.</summary>
public sealed class VaultLoginOptions
{
    /// <summary>The auth method. Default JWT.</summary>
    public VaultAuthMethod Method { get; set; }

    /// <summary>The path that the method is mounted at. Default <c>jwt</c> or <c>kubernetes</c>.</summary>
    public string? Mount { get; set; }

    /// <summary>The namespace (<c>X-Vault-Namespace</c>). Default: the root.</summary>
    public string? Namespace { get; set; }

    /// <summary>The audience of the proof: what the role's <c>bound_audiences</c> (Kubernetes: <c>audience</c>) lists. Default: the address of the server.</summary>
    public string? SubjectAudience { get; set; }

    /// <summary>Asks for a wrapped answer, which may lie that long, looks where it was made, and opens it once. From 10 seconds to 10 minutes. Null, the default: the answer is not wrapped.</summary>
    public TimeSpan? WrapLifetime { get; set; }

    /// <summary>How long before its end the token is handed out no more. Default 10 seconds.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);
}
