using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The content of one proof before it is signed; tests change what they like, so hostile proofs can be minted too.</summary>
/// <remarks>It holds claims, no token.</remarks>
public sealed class ProofClaims
{
    internal ProofClaims(JsonObject payload, JsonObject header)
    {
        Payload = payload;
        Header = header;
    }

    /// <summary>The claims (RFC 7519 §4). Set, replace or remove any.</summary>
    public JsonObject Payload { get; }

    /// <summary>The JOSE header (RFC 7515 §4). <c>alg</c> and <c>kid</c> are filled in at signing when absent.</summary>
    public JsonObject Header { get; }

    /// <summary>The algorithm to sign with: RS256, PS256, ES256, ES384 or ES512. Default as in <see cref="EmulatorOptions.ProofAlgorithm"/>.</summary>
    public string Algorithm { get; set; } = "RS256";

    /// <summary>Whose signature it carries. Default: the genuine one.</summary>
    public ProofSignature Signature { get; set; }

    /// <summary>The claim <c>sub</c>.</summary>
    public string? Subject
    {
        get => (string?)Payload["sub"];
        set => Payload["sub"] = value;
    }

    /// <summary>The claim <c>iss</c>.</summary>
    public string? Issuer
    {
        get => (string?)Payload["iss"];
        set => Payload["iss"] = value;
    }

    /// <summary>Sets <c>iat</c> and <c>nbf</c> to one instant and <c>exp</c> to a life after it.</summary>
    /// <param name="issuedAt">When the proof says it was issued; cut to seconds.</param>
    /// <param name="life">How long it says it lives.</param>
    public void Lives(DateTimeOffset issuedAt, TimeSpan life)
    {
        Payload["iat"] = issuedAt.ToUnixTimeSeconds();
        Payload["nbf"] = issuedAt.ToUnixTimeSeconds();
        Payload["exp"] = (issuedAt + life).ToUnixTimeSeconds();
    }
}
