using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>A little protected API in Azure's style, over HTTPS: it checks the Entra token at the moment of use, takes every method at every path, and answers with what came.</summary>
/// <remarks>
/// To clients of Azure Blob Storage, known by their header <c>x-ms-version</c>, it is a store of block blobs in memory: put, get and delete one at a time.
/// To others, the answer's fields: <c>method</c>, <c>path</c>, <c>length</c> (of the body, in bytes), <c>sha256</c> (of the body), <c>fingerprint</c> (of the token).
/// </remarks>
public sealed class AzureResource
{
    private readonly EntraDirectory _directory;
    private readonly Ledger _ledger;
    private readonly string _origin;
    private readonly BlobShelf _blobs;
    private string? _claims;

    internal AzureResource(string origin, EntraDirectory directory, Ledger ledger)
    {
        _origin = origin;
        _directory = directory;
        _ledger = ledger;
        _blobs = new BlobShelf(directory.Time);
    }

    /// <summary>The API's address: <c>https://localhost:{port}/</c>.</summary>
    public Uri Address => new($"{_origin}/");

    /// <summary>Its app id URI; the scope is this and <c>/.default</c>.</summary>
    public string Resource { get; } = EntraDirectory.EmulatedResource;

    /// <summary>From now on a token is refused until it was issued to a request that sent these claims: 401 with <c>error="insufficient_claims"</c>.</summary>
    /// <param name="json">The claims challenge as JSON, such as <c>{"access_token":{"nbf":{"essential":true,"value":"1767225600"}}}</c>. Null: no longer.</param>
    /// <exception cref="ArgumentException">It is no JSON object.</exception>
    public void RequireClaims(string? json)
    {
        if (json is not null && !IsObject(json))
            throw new ArgumentException("Claims are a JSON object.", nameof(json));
        _claims = json;
    }

    /// <summary>From now on that token is refused, as after an event of Continuous Access Evaluation; the ledger shows it as revoked.</summary>
    /// <param name="fingerprint">See <see cref="Ledger.FingerprintOf"/>.</param>
    public void Revoke(string fingerprint) => _ledger.MarkRevoked(fingerprint);

    internal async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        using var body = new MemoryStream();
        await request.Http.Request.Body.CopyToAsync(body, request.Http.RequestAborted).ConfigureAwait(false);
        string? claims = _claims;
        string? token = request.Bearer;
        string? fingerprint = token is null ? null : Ledger.FingerprintOf(token);
        UseVerdict verdict = token is null ? UseVerdict.Missing : await JudgeAsync(token, fingerprint!, claims).ConfigureAwait(false);
        _ledger.Add(new LedgerUse(fingerprint, request.At, verdict, request.Path, request.RequestId));
        EmulatorAnswer answer = verdict != UseVerdict.Accepted ? Refusal(verdict, claims)
            : BlobShelf.Takes(request) ? _blobs.Answer(request, body.ToArray())
            : Echo(request, body, fingerprint!);
        answer.Headers["x-ms-request-id"] = request.RequestId;
        return answer;
    }

    private static EmulatorAnswer Echo(EmulatorRequest request, MemoryStream body, string fingerprint) => EmulatorAnswer.Of(new JsonObject
    {
        ["method"] = request.Http.Request.Method,
        ["path"] = request.Path,
        ["length"] = body.Length,
        ["sha256"] = Convert.ToHexStringLower(SHA256.HashData(body.ToArray())),
        ["fingerprint"] = fingerprint,
    });

    // RFC 6750 §3; the parameters are those of Azure Resource Manager and of Key Vault; claims: page "Claims challenges, claims requests and client capabilities".
    private EmulatorAnswer Refusal(UseVerdict verdict, string? claims)
    {
        string challenge = $"Bearer authorization_uri=\"https://{_directory.Clouds.LoginHost}/{_directory.TenantId}/oauth2/authorize\", resource_id=\"{Resource}\"";
        challenge += verdict switch
        {
            UseVerdict.Missing => "",
            UseVerdict.InsufficientClaims => $", error=\"insufficient_claims\", claims=\"{Convert.ToBase64String(Encoding.UTF8.GetBytes(claims!))}\"",
            UseVerdict.OtherAudience => ", error=\"invalid_token\", error_description=\"The access token is for another audience.\"",
            UseVerdict.Expired => ", error=\"invalid_token\", error_description=\"The access token has expired.\"",
            UseVerdict.Revoked => ", error=\"invalid_token\", error_description=\"The access token was revoked.\"",
            _ => ", error=\"invalid_token\", error_description=\"The access token is invalid.\"",
        };
        EmulatorAnswer answer = EmulatorAnswer.Of(new JsonObject
        {
            ["error"] = new JsonObject { ["code"] = verdict == UseVerdict.Missing ? "AuthenticationFailed" : "InvalidAuthenticationToken", ["message"] = "A valid access token is needed." },
        }, 401);
        answer.Headers["WWW-Authenticate"] = challenge;
        return answer;
    }

    private async Task<UseVerdict> JudgeAsync(string token, string fingerprint, string? claims)
    {
        (UseVerdict verdict, _) = await EntraBearer.JudgeAsync(_directory, _ledger, token, [Resource, Resource + "/"]).ConfigureAwait(false);
        if (verdict != UseVerdict.Accepted)
            return verdict;
        // Which claims a token was asked for with is in the ledger, not in the token: real tokens have no common form for it.
        return claims is null || (_ledger.Find(fingerprint)?.Claims is { } sent && Contains(JsonNode.Parse(sent), JsonNode.Parse(claims))) ? UseVerdict.Accepted : UseVerdict.InsufficientClaims;
    }

    // SDKs merge the challenge with their capabilities, so what was sent may hold more.
    private static bool Contains(JsonNode? sent, JsonNode? wanted) => wanted is JsonObject members
        ? sent is JsonObject given && members.All(member => given.TryGetPropertyValue(member.Key, out JsonNode? value) && Contains(value, member.Value))
        : JsonNode.DeepEquals(sent, wanted);

    private static bool IsObject(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
