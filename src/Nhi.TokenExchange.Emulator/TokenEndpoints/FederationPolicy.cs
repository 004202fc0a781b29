namespace Nhi.TokenExchange;

/// <summary>Which proofs a token endpoint accepts. Every value is compared exactly; there are no wildcards.</summary>
/// <remarks>The fields are those of a Databricks <c>oidc_policy</c> and, for the most part, of an Entra federated identity credential.</remarks>
public sealed record FederationPolicy
{
    /// <summary>The proof's issuer. Null: the emulator's own issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary>One of these must be in the proof's audience. Empty: the endpoint's own default (authorization server: its issuer identifier; Databricks: the account id).</summary>
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>What the subject claim must say. Null only in a Databricks account-wide policy.</summary>
    public string? Subject { get; init; }

    /// <summary>The claim that is the subject. Default <c>sub</c>.</summary>
    public string SubjectClaim { get; init; } = "sub";

    /// <summary>The issuer's keys as a JWK set. Null: the emulator's own issuer's keys, or Entra's where the issuer is one of its tenants, as published at that moment.</summary>
    public string? JwksJson { get; init; }
}
