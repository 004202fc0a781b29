using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>The checks of a JWT, one method each, in the order they are made. Each says where it is written down.</summary>
internal static class JwtChecks
{
    // RFC 8725 §3.10, RFC 7515 §4.1.2-6, §4.1.11: a token doesn't bring its own keys; an extension that is not understood is refused.
    private static readonly string[] ForbiddenHeaders = ["jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"];

    // RFC 8725 §3.1, RFC 7518 §3.1: only what is on the list; so neither none nor a MAC under a public key.
    public static string AlgorithmAllowed(ReceivedJwt jwt, IReadOnlyCollection<string> allowed)
    {
        string? algorithm = jwt.HeaderText("alg");
        return algorithm is not null && allowed.Contains(algorithm)
            ? algorithm
            : throw new ProofRefused("algorithm_not_allowed", $"the algorithm {algorithm ?? "(none named)"} is not allowed; allowed: {string.Join(", ", allowed)}");
    }

    public static void HeaderIsPlain(ReceivedJwt jwt)
    {
        foreach (string name in ForbiddenHeaders)
        {
            if (jwt.Header.TryGetProperty(name, out _))
                throw new ProofRefused("header_not_allowed", $"the header {name} is not allowed");
        }
    }

    // RFC 8725 §3.11: one kind of JWT must not pass for another. RFC 7515 §4.1.9: compared ignoring case, application/ may be left out.
    public static void TypeExpected(ReceivedJwt jwt, params ReadOnlySpan<string> allowed)
    {
        if (!jwt.Header.TryGetProperty("typ", out JsonElement typ))
            return;
        string? type = typ.ValueKind == JsonValueKind.String ? typ.GetString() : null;
        foreach (string one in allowed)
        {
            if (string.Equals(type, one, StringComparison.OrdinalIgnoreCase) || string.Equals(type, "application/" + one, StringComparison.OrdinalIgnoreCase))
                return;
        }

        throw new ProofRefused("type_not_allowed", $"the type {type ?? "(not a text)"} is not allowed here");
    }

    // OIDC Core §3.1.3.7 (2), Databricks "Configure a federation policy": the issuer is compared exactly.
    public static string IssuerNamed(ReceivedJwt jwt) =>
        jwt.ClaimText("iss") is { Length: > 0 } issuer ? issuer : throw new ProofRefused("issuer_missing", "the claim iss is missing");

    // RFC 7515 §5.2, RFC 8725 §3.3.
    public static async Task SignatureGoodAsync(ReceivedJwt jwt, SecurityKey key, string algorithm)
    {
        var parameters = new TokenValidationParameters
        {
            IssuerSigningKey = key,
            ValidAlgorithms = [algorithm],
            RequireSignedTokens = true,
#pragma warning disable CA5404 // Issuer, audience and time are checked by the methods beside, on the emulator's clock.
            RequireExpirationTime = false,
            ValidateLifetime = false,
            ValidateAudience = false,
            ValidateIssuer = false,
#pragma warning restore CA5404
            CryptoProviderFactory = new CryptoProviderFactory { CacheSignatureProviders = false },
        };
        TokenValidationResult result = await new JsonWebTokenHandler { MaximumTokenSizeInBytes = 256 * 1024 }.ValidateTokenAsync(jwt.Compact, parameters).ConfigureAwait(false);
        if (result.IsValid)
            return;
        // The library reads the registered claims before it verifies; what it can't read is refused too, under its own name.
        throw result.Exception is SecurityTokenInvalidSignatureException or SecurityTokenInvalidAlgorithmException
            ? new ProofRefused("signature_bad", "the signature does not fit the key that the header names")
            : new ProofRefused("claim_malformed", "a registered claim has a value of the wrong kind");
    }

    // RFC 7519 §4.1.4; RFC 7523 §3 (4): exp is required.
    public static DateTimeOffset NotExpired(ReceivedJwt jwt, DateTimeOffset now, TimeSpan leeway)
    {
        DateTimeOffset ends = jwt.Instant("exp") ?? throw new ProofRefused("expiry_missing", "the claim exp is missing");
        return now < ends + leeway ? ends : throw new ProofRefused("expired", $"the token ended at {ends:u}, it is {now:u}");
    }

    // RFC 7519 §4.1.5, §4.1.6; RFC 7523 §3 (5), (6).
    public static void AlreadyValid(ReceivedJwt jwt, DateTimeOffset now, TimeSpan leeway)
    {
        if (jwt.Instant("nbf") is { } notBefore && now < notBefore - leeway)
            throw new ProofRefused("not_yet_valid", $"the token is valid from {notBefore:u}, it is {now:u}");
        if (jwt.Instant("iat") is { } issued && now < issued - leeway)
            throw new ProofRefused("issued_in_future", $"the token says it was issued at {issued:u}, it is {now:u}");
    }

    // RFC 7519 §4.1.3; Databricks "Configure a federation policy": one matching audience is enough, no wildcards.
    public static void AudienceMatches(ReceivedJwt jwt, IReadOnlyCollection<string> accepted)
    {
        IReadOnlyList<string> audience = jwt.Audience();
        if (!audience.Any(accepted.Contains))
            throw new ProofRefused("audience_mismatch", $"the audience {(audience.Count == 0 ? "(missing)" : string.Join(' ', audience))} is not the expected {string.Join(" or ", accepted)}");
    }

    // Entra "federated identity credentials", Databricks "Configure a federation policy": exact, case-sensitive.
    public static string SubjectPresent(ReceivedJwt jwt, string claim) =>
        jwt.ClaimText(claim) is { Length: > 0 } subject ? subject : throw new ProofRefused("subject_missing", $"the claim {claim} is missing");

    // RFC 7523 §3 (7), RFC 7519 §4.1.7: one use of a jti as long as the token lives.
    public static void UsedOnce(ReceivedJwt jwt, string issuer, DateTimeOffset ends, ReplayMemory memory, bool required)
    {
        string? id = jwt.ClaimText("jti");
        if (id is null && required)
            throw new ProofRefused("jti_missing", "the claim jti is missing");
        if (id is not null && !memory.FirstTime(issuer, id, ends))
            throw new ProofRefused("replayed", "the token with this jti was used before");
    }
}
