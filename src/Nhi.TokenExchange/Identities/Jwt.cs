using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>What a compact JWT says. Its signature is not verified here, and the token itself is not kept.</summary>
[DebuggerDisplay("{ToString(),nq}")]
internal sealed class Jwt
{
    /// <summary>The header's <c>alg</c>: asymmetric, see <see cref="JwtReader"/>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>The header's <c>typ</c>.</summary>
    public string? Type { get; init; }

    /// <summary><c>iss</c>; empty if absent.</summary>
    public required string Issuer { get; init; }

    /// <summary><c>sub</c>; empty if absent.</summary>
    public required string Subject { get; init; }

    /// <summary><c>aud</c>: one or several; none if absent.</summary>
    public required IReadOnlyList<string> Audiences { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>All claims that are text, number or boolean, as text; those of nested objects by path (<c>kubernetes.io/pod/uid</c>); arrays as JSON.</summary>
    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    public required int SignatureBytes { get; init; }

    /// <summary>Whether the signature is as long as the algorithm makes it (RFC 7518 §3.3 to §3.5): a token that was cut off is not.</summary>
    public bool SignatureLengthFits => Algorithm switch
    {
        "ES256" or "EdDSA" or "Ed25519" => SignatureBytes == 64,
        "ES384" => SignatureBytes == 96,
        "ES512" => SignatureBytes == 132,
        _ => SignatureBytes >= 256 && SignatureBytes % 64 == 0,
    };

    public bool Has(string claim) => Claims.ContainsKey(claim);

    /// <summary>A claim as text; null if absent.</summary>
    public string? this[string claim] => Claims.GetValueOrDefault(claim);

    /// <summary>Issuer and subject.</summary>
    public override string ToString() => $"{ExceptionText.Clean(Issuer)} says {ExceptionText.Clean(Subject)}";
}
