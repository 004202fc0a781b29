namespace Nhi.TokenExchange;

/// <summary>Options of a dynamic secret of Vault or OpenBao.</summary>
public sealed class VaultSecretOptions
{
    /// <summary>The verb that the secrets engine takes. Default GET.</summary>
    public VaultSecretMethod Method { get; set; }

    /// <summary>The namespace (<c>X-Vault-Namespace</c>): the login's, or one below it. Default: the root.</summary>
    public string? Namespace { get; set; }

    /// <summary>Asks for a wrapped answer, which may lie that long, looks where it was made, and opens it once. From 10 seconds to 10 minutes. Null, the default: the answer is not wrapped.</summary>
    public TimeSpan? WrapLifetime { get; set; }

    /// <summary>
    /// Whether the secret itself ends when its lease is revoked, for policy and report. Null, the default: so it is of <c>database/creds/…</c>, <c>rabbitmq/creds/…</c>, <c>consul/creds/…</c>, <c>nomad/creds/…</c> and
    /// <c>azure/creds/…</c>, not of static roles and AWS STS, and not known of anything else, which counts as no.
    /// </summary>
    public bool? EndsWithLease { get; set; }

    /// <summary>How long before its end the secret is handed out no more. Default 10 seconds.</summary>
    public TimeSpan UsableMargin { get; set; } = TimeSpan.FromSeconds(10);
}
