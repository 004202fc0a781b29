using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The IAM Service Account Credentials API: a workload's token becomes one of a service account, if the account lets it.</summary>
internal sealed class GoogleIamDesk(EmulatedGoogle google, GoogleTokens tokens, TimeProvider time)
{
    public const string Path = "/v1/projects/-/serviceAccounts/";

    private const string Method = ":generateAccessToken";
    private const long UsualLife = 3600;
    private const long LongestLife = 43200;

    private static readonly string[] Sufficient = ["https://www.googleapis.com/auth/iam", "https://www.googleapis.com/auth/cloud-platform"];

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        if (request.Http.Request.Method != "POST" || !request.Path.EndsWith(Method, StringComparison.Ordinal))
            throw Refuse(404, "NOT_FOUND", "method_unknown", "Requested entity was not found.");
        string email = Uri.UnescapeDataString(request.Path[Path.Length..^Method.Length]);
        if (tokens.Find(request.Bearer) is not { } caller)
            throw Refuse(401, "UNAUTHENTICATED", "token_unknown", "Request had invalid authentication credentials.");
        if (!caller.Scope.Split(' ').Any(Sufficient.Contains))
            throw Refuse(403, "PERMISSION_DENIED", "scope", "Request had insufficient authentication scopes.");
        (string[] delegates, string[] scopes, long seconds) = await ReadAsync(request).ConfigureAwait(false);
        EmulatedServiceAccount account = google.FindAccount(email) ?? throw Refuse(404, "NOT_FOUND", "account_unknown", "Not found; Gaia id not found for email " + email);
        if (!May(caller, delegates, account))
            throw Refuse(403, "PERMISSION_DENIED", "not_allowed", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).");
        if (seconds > UsualLife && !account.AllowsLongLife)
            throw Refuse(400, "INVALID_ARGUMENT", "lifetime", "Request contains an invalid argument.");
        var end = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds() + seconds);
        string token = tokens.Add(new GoogleToken(Subject: null, $"serviceAccount:{email}", string.Join(' ', scopes), end, Boundary: null), request.RequestId, caller.Principal, []);
        // gcloud takes no fraction of a second.
        return EmulatorAnswer.Of(new JsonObject { ["accessToken"] = token, ["expireTime"] = end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) }).NotStored();
    }

    // The first of a chain lets the workload in, each one makes tokens for the next.
    private bool May(GoogleToken caller, string[] delegates, EmulatedServiceAccount account)
    {
        string? before = null;
        foreach (string email in delegates.Append(account.Email))
        {
            if (google.FindAccount(email) is not { } next || !(before is null ? caller.Subject is { } subject && next.WorkloadIdentityUsers.Contains(subject) : next.TokenCreators.Contains(before)))
                return false;
            before = email;
        }
        return true;
    }

    private static async Task<(string[] Delegates, string[] Scopes, long Seconds)> ReadAsync(EmulatorRequest request)
    {
        try
        {
            using JsonDocument body = await JsonDocument.ParseAsync(request.Http.Request.Body, default, request.Http.RequestAborted).ConfigureAwait(false);
            string[] Texts(string name) => body.RootElement.TryGetProperty(name, out JsonElement list) ? [.. list.EnumerateArray().Select(one => one.GetString()!)] : [];
            string life = body.RootElement.TryGetProperty("lifetime", out JsonElement text) ? text.GetString()! : $"{UsualLife}s";
            string[] scopes = Texts("scope");
            return scopes.Length > 0 && life.EndsWith('s') && long.TryParse(life[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds is > 0 and <= LongestLife
                ? ([.. Texts("delegates").Select(name => name[(name.LastIndexOf('/') + 1)..])], scopes, seconds)
                : throw Refuse(400, "INVALID_ARGUMENT", "argument", "Request contains an invalid argument.");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            throw Refuse(400, "INVALID_ARGUMENT", "body", "Invalid JSON payload received.");
        }
    }

    private static OAuthRefusal Refuse(int code, string status, string reason, string message) => new(status, reason, message, code) { Render = _ => Error(code, status, message) };

    /// <summary>An error as Google's APIs write it.</summary>
    public static EmulatorAnswer Error(int code, string status, string message) => EmulatorAnswer.Of(new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message, ["status"] = status } }, code);
}
