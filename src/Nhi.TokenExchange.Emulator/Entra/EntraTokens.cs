using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Makes Entra's access tokens and writes each into the ledger before anybody sees it.</summary>
/// <remarks>Page: "Access token claims reference". No token has <c>aio</c> and <c>rh</c>, which are Entra's own business.</remarks>
internal sealed class EntraTokens(EntraDirectory directory, string canary, Ledger ledger)
{
    /// <summary>Issues one token.</summary>
    public (string Token, LedgerIssue Issue) Issue(EntraTokenOrder order)
    {
        DateTimeOffset now = directory.Time.GetUtcNow();
        string issuer = order.Resource.TokenVersion == 1 ? directory.Clouds.IssuerV1(order.TenantId) : directory.Clouds.IssuerV2(order.TenantId);
        string audience = order.Resource.TokenVersion == 1 ? order.Asked : order.Resource.ApplicationId;
        string token = CompactJws.Sign(new JsonObject { ["typ"] = "JWT" }, Payload(order, issuer, audience, now), directory.Keys.Current(directory.Algorithm));
        var issue = new LedgerIssue
        {
            Fingerprint = Ledger.FingerprintOf(token),
            Issuer = issuer,
            ClientId = order.ClientId,
            Subject = order.ObjectId,
            Scope = $"{order.Asked}/.default",
            Audience = [audience],
            IssuedAt = now,
            EndsAt = now + order.Life,
            Claims = order.Claims,
            RequestId = order.RequestId,
            ClientRequestId = order.ClientRequestId,
        };
        ledger.Add(issue);
        return (token, issue);
    }

    private JsonObject Payload(EntraTokenOrder order, string issuer, string audience, DateTimeOffset now)
    {
        bool first = order.Resource.TokenVersion == 1;
        var payload = new JsonObject
        {
            ["aud"] = audience,
            ["iss"] = issuer,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + order.Life).ToUnixTimeSeconds(),
            // appidacr, azpacr: 2 says that the client proved itself by an assertion or a certificate.
            [first ? "appid" : "azp"] = order.ClientId,
            [first ? "appidacr" : "azpacr"] = "2",
            ["idtyp"] = order.IsPerson ? "user" : "app",
            ["oid"] = order.ObjectId,
            ["sub"] = order.ObjectId,
            ["tid"] = order.TenantId,
            ["uti"] = $"{canary}-{RandomNumberGenerator.GetHexString(24, lowercase: true)}",
            ["ver"] = first ? "1.0" : "2.0",
        };
        if (first)
            payload["idp"] = directory.Clouds.IssuerV1(order.TenantId);
        if (order.ResourceId is not null)
            payload["xms_mirid"] = order.ResourceId;
        if (order.Roles.Count > 0)
            payload["roles"] = JsonText.Array(order.Roles);
        if (HasCapability(order.Claims))
            payload["xms_cc"] = JsonText.Array(["cp1"]);
        return payload;
    }

    // MSAL.NET writes cp1, Azure.Identity CP1. {"access_token":{"xms_cc":{"values":["cp1"]}}}: page "How to use Continuous Access Evaluation enabled APIs in your applications".
    public static bool HasCapability(string? claims)
    {
        if (claims is null)
            return false;
        using JsonDocument document = JsonDocument.Parse(claims);
        return document.RootElement.TryGetProperty("access_token", out JsonElement token) && token.ValueKind == JsonValueKind.Object
            && token.TryGetProperty("xms_cc", out JsonElement capability) && capability.ValueKind == JsonValueKind.Object
            && capability.TryGetProperty("values", out JsonElement values) && values.ValueKind == JsonValueKind.Array
            && values.EnumerateArray().Any(value => value.ValueKind == JsonValueKind.String && string.Equals(value.GetString(), "cp1", StringComparison.OrdinalIgnoreCase));
    }
}
