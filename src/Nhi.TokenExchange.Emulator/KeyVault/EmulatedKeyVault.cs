using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The emulated Azure Key Vault, over HTTPS: gives secrets to who shows an Entra token for <c>https://vault.azure.net</c>.</summary>
/// <remarks>Pages: "Get Secret" (REST API 7.4), "Azure Key Vault authentication", "Key Vault REST API error codes". A request without a token gets the challenge of the real one.</remarks>
public sealed class EmulatedKeyVault
{
    private const string Resource = "https://vault.azure.net";

    private readonly ConcurrentDictionary<string, KeyVaultEntry[]> _secrets = new(StringComparer.OrdinalIgnoreCase);
    private readonly EntraDirectory _directory;
    private readonly Ledger _ledger;
    private readonly string _origin;

    internal EmulatedKeyVault(string origin, EntraDirectory directory, Ledger ledger)
    {
        _origin = origin;
        _directory = directory;
        _ledger = ledger;
    }

    /// <summary>Its address: <c>https://localhost:{port}/</c>.</summary>
    public Uri Address => new($"{_origin}/");

    /// <summary>The client ids of those that may read its secrets; empty, as at first: everybody with a token for it. Others get 403, ForbiddenByRbac.</summary>
    public IList<string> Readers { get; } = [];

    /// <summary>Stores the next version of a secret.</summary>
    /// <param name="name">Its name: letters, digits and hyphens.</param>
    /// <param name="value">What it holds.</param>
    /// <returns>The version, whose attributes may be set.</returns>
    public KeyVaultEntry Set(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        var entry = new KeyVaultEntry(name, RandomNumberGenerator.GetHexString(32, lowercase: true), value, _directory.Time.GetUtcNow());
        _secrets.AddOrUpdate(name, [entry], (_, before) => [.. before, entry]);
        return entry;
    }

    /// <summary>Deletes a secret with all its versions.</summary>
    /// <param name="name">Its name.</param>
    public void Delete(string name) => _secrets.TryRemove(name, out _);

    internal static EmulatorEndpoint? Find(string path) => path.StartsWith("/secrets/", StringComparison.OrdinalIgnoreCase) ? EmulatorEndpoint.KeyVault : null;

    internal async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        string? token = request.Bearer;
        (UseVerdict verdict, ReceivedJwt? jwt) = token is null ? (UseVerdict.Missing, null) : await EntraBearer.JudgeAsync(_directory, _ledger, token, [Resource, Resource + "/"]).ConfigureAwait(false);
        _ledger.Add(new LedgerUse(token is null ? null : Ledger.FingerprintOf(token), request.At, verdict, request.Path, request.RequestId));
        EmulatorAnswer answer = verdict != UseVerdict.Accepted ? Challenge(verdict, jwt) : Answer(request, jwt!);
        answer.Headers["x-ms-request-id"] = request.RequestId;
        return answer;
    }

    private EmulatorAnswer Answer(EmulatorRequest request, ReceivedJwt token)
    {
        if (request.Query("api-version") is null)
            return Error(400, "BadParameter", "api-version must be specified");
        if (request.Http.Request.Method != "GET")
            return Error(405, "MethodNotAllowed", "The emulated vault is filled in code.");
        string[] parts = request.Path["/secrets/".Length..].TrimEnd('/').Split('/');
        string client = token.ClaimText("appid") ?? token.ClaimText("azp") ?? "";
        if (Readers.Count > 0 && !Readers.Contains(client, StringComparer.OrdinalIgnoreCase))
            return Error(403, "Forbidden", $"Caller is not authorized to perform action on resource.\r\nCaller: appid={client};oid={token.ClaimText("oid")}\r\nAction: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'", "ForbiddenByRbac");
        if (!_secrets.TryGetValue(parts[0], out KeyVaultEntry[]? versions) || (parts is [_, var version] ? Array.Find(versions, one => one.Version == version) : versions[^1]) is not { } found)
            return Error(404, "SecretNotFound", $"A secret with (name/id) {string.Join('/', parts)} was not found in this key vault. If you recently deleted this secret you may be able to recover it using the correct recovery command.");
        if (!found.Enabled)
            return Error(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
        return EmulatorAnswer.Of(Bundle(found));
    }

    private JsonObject Bundle(KeyVaultEntry found)
    {
        var attributes = new JsonObject { ["enabled"] = found.Enabled };
        if (found.NotBefore is { } from)
            attributes["nbf"] = from.ToUnixTimeSeconds();
        if (found.ExpiresAt is { } to)
            attributes["exp"] = to.ToUnixTimeSeconds();
        attributes["created"] = found.CreatedAt.ToUnixTimeSeconds();
        attributes["updated"] = found.CreatedAt.ToUnixTimeSeconds();
        attributes["recoveryLevel"] = "Recoverable+Purgeable";
        attributes["recoverableDays"] = 90;
        var bundle = new JsonObject { ["value"] = found.Value };
        if (found.ContentType is not null)
            bundle["contentType"] = found.ContentType;
        bundle["id"] = $"{_origin}/secrets/{found.Name}/{found.Version}";
        bundle["attributes"] = attributes;
        bundle["tags"] = new JsonObject();
        return bundle;
    }

    private EmulatorAnswer Challenge(UseVerdict verdict, ReceivedJwt? token)
    {
        EmulatorAnswer answer = Error(401, "Unauthorized", verdict switch
        {
            UseVerdict.Missing => "AKV10000: Request is missing a Bearer or PoP token.",
            UseVerdict.OtherAudience => $"AKV10022: Invalid audience. Expected {Resource}, found: {string.Join(", ", token?.Audience() ?? ["another"])}.",
            UseVerdict.Expired => "[TokenExpired] Error validating token: 'S2S12086'.",
            _ => "[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'.",
        });
        string error = verdict is UseVerdict.Missing ? "" : ", error=\"invalid_token\"";
        answer.Headers["WWW-Authenticate"] = $"Bearer authorization=\"https://{_directory.Clouds.LoginHost}/{_directory.TenantId}\", resource=\"{Resource}\"{error}";
        return answer;
    }

    private static EmulatorAnswer Error(int status, string code, string message, string? inner = null)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message };
        if (inner is not null)
            error["innererror"] = new JsonObject { ["code"] = inner };
        return EmulatorAnswer.Of(new JsonObject { ["error"] = error }, status);
    }
}
