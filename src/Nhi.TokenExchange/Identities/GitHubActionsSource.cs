using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The ID token of a GitHub Actions job, asked of the runner's endpoint for each exchange: it lives five minutes and can be made for any audience.</summary>
/// <remarks>docs.github.com/actions/reference/security/oidc. The back channel repeats what is transient (429, 5xx); only the race at a job's start is repeated here.</remarks>
internal sealed class GitHubActionsSource(Func<string, string?>? environment = null) : IWorkloadIdentitySource
{
    private const string UrlVariable = "ACTIONS_ID_TOKEN_REQUEST_URL";
    private const string TokenVariable = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

    // "Can't issue ID_TOKEN … the job is in a Pending/Delayed state": the job has begun before the service knows (configure-aws-credentials#469). 15 s in all.
    private static readonly TimeSpan[] WaitsForTheJob = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(8)];

    private readonly Func<string, string?> _environment = environment ?? Environment.GetEnvironmentVariable;

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        Uri endpoint = Endpoint(request.Audience);
        AuthenticationHeaderValue authorization = Authorization();
        var sent = new SentSecrets();
        sent.Add(authorization.Parameter!);
        for (int attempt = 0; ; attempt++)
        {
            (HttpStatusCode status, byte[] body) = await AskAsync(request.Backchannel, endpoint, authorization, sent, cancellationToken).ConfigureAwait(false);
            if (status == HttpStatusCode.OK)
                return ReadToken(body);
            if (status != HttpStatusCode.Forbidden || !SaysNotYet(body))
                throw Refused(status, body, sent);
            if (attempt == WaitsForTheJob.Length)
                throw Error(ErrorCodes.ProofUnavailable, $"GitHub says after {attempt + 1} tries that this job is still pending.", "Run the job again.", isTransient: true);
            await Task.Delay(WaitsForTheJob[attempt], request.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    public override string ToString() => "GitHubActions()";

    private Uri Endpoint(Audience audience)
    {
        string url = Variable(UrlVariable);
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? endpoint) || endpoint.UserInfo.Length > 0 || endpoint.Fragment.Length > 0
            || !(endpoint.Scheme == Uri.UriSchemeHttps || (endpoint.Scheme == Uri.UriSchemeHttp && endpoint.IsLoopback)))
        {
            throw Error(ErrorCodes.ProofUnavailable, $"{UrlVariable} is not an https address.", "It is set by the runner; nothing else should.");
        }
        return new Uri($"{url}{(endpoint.Query.Length > 0 ? '&' : '?')}audience={Uri.EscapeDataString(audience.ToString())}");
    }

    private AuthenticationHeaderValue Authorization()
    {
        string token = Variable(TokenVariable);
        // Checked here, because the framework's own complaint about a header may quote its value.
        return token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? throw Error(ErrorCodes.ProofUnavailable, $"{TokenVariable} has a character that no bearer token has.", "It is set by the runner; nothing else should.")
            : new AuthenticationHeaderValue("Bearer", token);
    }

    private string Variable(string name)
    {
        string value = (_environment(name) ?? "").Trim();
        if (value.Length > 0)
            return value;
        throw _environment("GITHUB_ACTIONS") == "true"
            ? Error(ErrorCodes.ProofUnavailable, $"This GitHub Actions job has no {name}: it may not ask for ID tokens.", "Give the job 'permissions: id-token: write'; a pull request from a fork can't have it.")
            : Error(ErrorCodes.ProofUnavailable, $"{name} is not set: this is no job of GitHub Actions.", "Name the identity source of the place where the job does run.");
    }

    private static async ValueTask<(HttpStatusCode Status, byte[] Body)> AskAsync(HttpMessageInvoker backchannel, Uri endpoint, AuthenticationHeaderValue authorization, SentSecrets sent, CancellationToken cancellationToken)
    {
        using var message = new IssuerRequest(HttpMethod.Get, endpoint, sent);
        message.Headers.Authorization = authorization;
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        try
        {
            using HttpResponseMessage response = await backchannel.SendAsync(message, cancellationToken).ConfigureAwait(false);
            response.Content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
            return (response.StatusCode, ((BoundedContent)response.Content).Bytes.ToArray());
        }
        catch (TokenExchangeException failed)   // the back channel speaks of an exchange; here it is the proof that is missing
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"GitHub's endpoint for ID tokens gave no proof: {failed.Detail}", failed)
            {
                IsTransient = failed.IsTransient, RetryAfter = failed.RetryAfter, CorrelationId = failed.CorrelationId, Hint = failed.Hint ?? "Check that the runner may reach it.",
            };
        }
    }

    private static SubjectToken ReadToken(byte[] body)
    {
        string? token = Field(body, "value");
        if (string.IsNullOrEmpty(token) || token.Length > SubjectToken.MaxLength || token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw Error(ErrorCodes.ProofMalformed, $"GitHub's answer has no text 'value' of at most {SubjectToken.MaxLength} characters.", "Check that the address is the runner's own, with no proxy before it.");
        return new SubjectToken(token, SubjectTokenType.Jwt);
    }

    private static IdentityUnavailableException Refused(HttpStatusCode status, byte[] body, SentSecrets sent)
    {
        string? code = new[] { Field(body, "error"), Field(body, "code"), Field(body, "typeKey") }.FirstOrDefault(text => IsCode(text) && !sent.Meet(text!));
        bool isTransient = (int)status >= 500;   // what else may pass comes from the back channel as an exception
        return new(ErrorCodes.ProofUnavailable, $"GitHub refused an ID token: status {(int)status}{(code is null ? "" : $", error '{code}'")}.")
        {
            IsTransient = isTransient,
            IssuerError = code,
            Hint = isTransient ? null : "The runner's request token lives about six hours; a longer job can get no proof any more. Else check 'permissions: id-token: write'.",
        };
    }

    private static bool SaysNotYet(byte[] body)
    {
        string text = System.Text.Encoding.UTF8.GetString(body);
        return text.Contains("pending", StringComparison.OrdinalIgnoreCase) || text.Contains("delayed", StringComparison.OrdinalIgnoreCase);
    }

    // An error code is a word; anything longer could be anything.
    private static bool IsCode(string? text) => text is { Length: > 0 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.');

    private static string? Field(byte[] body, string name)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = JwtReader.MaxDepth, AllowDuplicateProperties = false });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static IdentityUnavailableException Error(string code, string message, string hint, bool isTransient = false) => new(code, message) { Hint = hint, IsTransient = isTransient };
}
