using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>RFC 7662.</summary>
internal sealed class IntrospectionEndpoint(string issuer, ClientAuthentication authentication, Ledger ledger, EmulatorCanaries canaries)
{
    // Fingerprint of the bearer → audience.
    private readonly ConcurrentDictionary<string, string> _resourceServers = new(StringComparer.Ordinal);

    public string AddResourceServer(string audience)
    {
        ArgumentException.ThrowIfNullOrEmpty(audience);
        string bearer = $"rs-{canaries.ResourceServer}-{RandomNumberGenerator.GetHexString(32, lowercase: true)}";
        _resourceServers[Ledger.FingerprintOf(bearer)] = audience;
        return bearer;
    }

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        Func<LedgerIssue, bool> maySee = await CallerAsync(request).ConfigureAwait(false);
        string fingerprint = Ledger.FingerprintOf(request.Form.Need("token"));
        // RFC 7662 §2.2: expired, revoked, unknown, not for this caller: active false and nothing else.
        bool active = ledger.Find(fingerprint) is { } found && found.Issuer == issuer && ledger.IsAlive(fingerprint) && maySee(found);
        JsonObject json = active ? Describe(ledger.Find(fingerprint)!) : new JsonObject { ["active"] = false };
        return EmulatorAnswer.Of(json).NotStored();
    }

    private static JsonObject Describe(LedgerIssue issue)
    {
        var json = new JsonObject
        {
            ["active"] = true,
            ["iss"] = issue.Issuer,
            ["sub"] = issue.Subject,
            ["aud"] = JsonText.Array(issue.Audience),
            ["scope"] = issue.Scope,
            ["client_id"] = issue.ClientId,
            ["token_type"] = "Bearer",
            ["iat"] = issue.IssuedAt.ToUnixTimeSeconds(),
            ["exp"] = issue.EndsAt.ToUnixTimeSeconds(),
        };
        if (issue.ActJson is not null)
            json["act"] = JsonNode.Parse(issue.ActJson);
        return json;
    }

    // RFC 7662 §2.1: the caller must be authenticated, so that nobody can scan for tokens. client_id alone is no authentication.
    private async Task<Func<LedgerIssue, bool>> CallerAsync(EmulatorRequest request)
    {
        if (request.Bearer is { } bearer)
        {
            return _resourceServers.TryGetValue(Ledger.FingerprintOf(bearer), out string? audience)
                ? issue => issue.Audience.Contains(audience)
                : throw OAuthRefusal.InvalidClient("resource_server_unknown", "the bearer is not that of a registered resource server");
        }

        RegisteredClient client = await authentication.AuthenticateAsync(request).ConfigureAwait(false);
        if (client.Jwks is null)
            throw OAuthRefusal.InvalidClient("client_not_authenticated", "a public client may not introspect");
        return issue => issue.ClientId == client.ClientId;
    }
}
