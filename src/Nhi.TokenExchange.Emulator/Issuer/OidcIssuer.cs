using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Web;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>The issuer of proofs: discovery, keys, and the CI system's endpoint that hands proofs out.</summary>
internal sealed class OidcIssuer(string identifier, string algorithm, TimeProvider time, EmulatorCanaries canaries) : IDisposable
{
    private readonly ConcurrentDictionary<string, JobIdentity> _jobs = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private int _minted;

    public string Identifier => identifier;

    public IssuerKeys Keys { get; } = new();

    public string Mint(ProofShape shape, string subject, string audience, Action<ProofClaims>? change)
    {
        ArgumentException.ThrowIfNullOrEmpty(audience);
        int number = NextNumber();
        var payload = new JsonObject
        {
            ["iss"] = identifier,
            ["sub"] = subject,
            // Kubernetes writes an array, the CI systems a text (RFC 7519 §4.1.3 allows both).
            ["aud"] = shape == ProofShape.Kubernetes ? JsonText.Array([audience]) : JsonValue.Create(audience),
            ["jti"] = $"{canaries.Proof}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}",
        };
        var claims = new ProofClaims(payload, new JsonObject { ["typ"] = "JWT" }) { Algorithm = algorithm };
        claims.Lives(time.GetUtcNow(), ProofTemplates.Life(shape));
        ProofTemplates.AddVendorClaims(shape, subject, number, payload);
        change?.Invoke(claims);
        return CompactJws.Mint(claims, Keys);
    }

    public JobIdentity Register(ProofShape shape, string subject)
    {
        string requestToken = $"rt-{canaries.RequestToken}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
        var job = new JobIdentity(this, shape, subject, requestToken);
        _jobs[requestToken] = job;
        return job;
    }

    // OIDC Discovery 1.0 §3, §4.2.
    public EmulatorAnswer Discovery() => EmulatorAnswer.Of(new JsonObject
    {
        ["issuer"] = identifier,
        ["jwks_uri"] = $"{identifier}/jwks",
        ["response_types_supported"] = JsonText.Array(["id_token"]),
        ["subject_types_supported"] = JsonText.Array(["public"]),
        ["id_token_signing_alg_values_supported"] = JsonText.Array(["RS256", "PS256", "ES256"]),
        ["claims_supported"] = JsonText.Array(["iss", "sub", "aud", "exp", "iat", "nbf", "jti"]),
    });

    public EmulatorAnswer Jwks()
    {
        _ = Keys.Current("ES256");
        _ = Keys.Current(algorithm == "ES256" ? "RS256" : algorithm);
        return EmulatorAnswer.Of(Keys.ToJwks());
    }

    // GitHub: GET with audience, answer "value". Azure DevOps: POST, answer "oidcToken", audience fixed.
    public EmulatorAnswer HandOut(EmulatorRequest request)
    {
        if (request.Bearer is not { } bearer || !_jobs.TryGetValue(bearer, out JobIdentity? job))
            throw new OAuthRefusal("invalid_token", "request_token_unknown", "the request token is missing or unknown", 401);
        string wanted = job.IsAzureDevOps ? HttpMethods.Post : HttpMethods.Get;
        if (!string.Equals(request.Http.Request.Method, wanted, StringComparison.Ordinal))
            throw new OAuthRefusal("invalid_request", "method", $"this endpoint answers {wanted} only", 405);
        if (job.IsAzureDevOps)
            return EmulatorAnswer.Of(new JsonObject { ["oidcToken"] = job.Mint("api://AzureADTokenExchange") }).NotStored();
        string? audience = HttpUtility.ParseQueryString(request.Http.Request.QueryString.Value ?? "", Encoding.UTF8)["audience"];
        return EmulatorAnswer.Of(new JsonObject { ["count"] = 1, ["value"] = job.Mint(string.IsNullOrEmpty(audience) ? "https://github.invalid/octo" : audience) }).NotStored();
    }

    public void Dispose() => Keys.Dispose();

    private int NextNumber()
    {
        lock (_gate)
            return ++_minted;
    }
}
