using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>Makes access tokens and writes each into the ledger before anybody sees it.</summary>
internal sealed class TokenMint(string issuer, string canary, Ledger ledger, TimeProvider time) : IDisposable
{
    public IssuerKeys Keys { get; } = new();

    public (string Token, LedgerIssue Issue) Issue(TokenFormat format, TimeSpan life, string? clientId, string subject, string scope, IReadOnlyList<string> audience, JsonObject? act, string requestId, string? details = null, bool statesDetails = true)
    {
        DateTimeOffset now = time.GetUtcNow();
        string id = $"{canary}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}";
        string token = format == TokenFormat.Opaque
            ? $"emu.{id}.{Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(32))}"
            : Jwt(id, now, now + life, clientId, subject, scope, audience, act, statesDetails ? details : null);
        var issue = new LedgerIssue
        {
            Fingerprint = Ledger.FingerprintOf(token),
            Issuer = issuer,
            ClientId = clientId,
            Subject = subject,
            Actor = (string?)act?["sub"],
            ActJson = act?.ToJsonString(),
            Scope = scope,
            Audience = audience,
            IssuedAt = now,
            EndsAt = now + life,
            RequestId = requestId,
            AuthorizationDetails = details,
        };
        ledger.Add(issue);
        return (token, issue);
    }

    public void Dispose() => Keys.Dispose();

    // RFC 9068 §2: header typ at+jwt; RFC 8693 §4.1: act.
    private string Jwt(string id, DateTimeOffset now, DateTimeOffset ends, string? clientId, string subject, string scope, IReadOnlyList<string> audience, JsonObject? act, string? details)
    {
        var payload = new JsonObject
        {
            ["iss"] = issuer,
            ["sub"] = subject,
            ["aud"] = audience.Count == 1 ? JsonValue.Create(audience[0]) : JsonText.Array(audience),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = ends.ToUnixTimeSeconds(),
            ["jti"] = id,
            ["scope"] = scope,
        };
        if (clientId is not null)
            payload["client_id"] = clientId;
        if (act is not null)
            payload["act"] = act.DeepClone();
        if (details is not null)
            payload["authorization_details"] = JsonNode.Parse(details);   // RFC 9396 §9.1
        return CompactJws.Sign(new JsonObject { ["typ"] = "at+jwt" }, payload, Keys.Current("ES256"));
    }
}
