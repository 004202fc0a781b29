using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.Exchange.Google;

/// <summary>Google's services as one function that answers in order, and what it was asked. No back channel is before it, and the clock stands.</summary>
internal sealed class GoogleWire(params HttpResponseMessage[] answers)
{
    public const string Provider = "projects/123456789012/locations/global/workloadIdentityPools/jobs/providers/github";

    // No texts that look like tokens: what is taken out of a message is what was sent.
    public const string Proof = "words-that-prove-a-job";
    public const string Workload = "words-of-the-workload";
    public const string Account = "words-of-the-account";

    public static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Queue<HttpResponseMessage> _answers = new(answers);

    public List<ReceivedRequest> Asked { get; } = [];

    /// <summary>What STS says to a proof: the workload's own token, which lives an hour.</summary>
    public static HttpResponseMessage Federated(string type = "Bearer") => Token(Workload, type, "\"expires_in\":3600");

    /// <summary>What STS says.</summary>
    public static HttpResponseMessage Token(string token, string type, string more, params (string Name, string Value)[] headers) =>
        WireAnswers.Json($$"""{"access_token":"{{token}}","token_type":"{{type}}","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"{{(more.Length > 0 ? "," : "")}}{{more}}}""", 200, headers);

    /// <summary>What IAM says: the service account's token, which lives until then.</summary>
    public static HttpResponseMessage Acting(string expires = "2026-01-01T00:50:00Z", params (string Name, string Value)[] headers) =>
        WireAnswers.Json($$"""{"accessToken":"{{Account}}","expireTime":"{{expires}}"}""", 200, headers);

    /// <summary>Asks them for a token.</summary>
    public async Task<Issued<BearerToken>> AskAsync(Action<GoogleStsOptions>? options = null, string proof = Proof, SubjectTokenType? type = null, Func<HttpMessageInvoker, ExchangeRequest>? request = null)
    {
        Wire wire = null!;
        wire = new Wire(asked =>
        {
            Asked.Add(new ReceivedRequest(
                asked.Method.Method, asked.RequestUri!.AbsoluteUri,
                new Dictionary<string, string> { ["Authorization"] = $"{asked.Headers.Authorization}", ["Content-Type"] = $"{asked.Content!.Headers.ContentType}" }, wire.Bodies.Last()));
            return _answers.Dequeue();
        });
        using var channel = new HttpMessageInvoker(wire);
        return await Targets.GoogleSts(Provider, options).ExchangeAsync(request is null ? Request(channel, proof, type) : request(channel), default);
    }

    /// <summary>Asks them for a token, which fails.</summary>
    public TokenExchangeException Refused(Action<GoogleStsOptions>? options = null, string proof = Proof, Func<HttpMessageInvoker, ExchangeRequest>? request = null) =>
        Assert.ThrowsAsync<TokenExchangeException>(() => AskAsync(options, proof, request: request))!;

    public static ExchangeRequest Request(HttpMessageInvoker channel, string proof = Proof, SubjectTokenType? type = null, TimeSpan? life = null, string scopes = "", SubjectToken? actor = null, string? tenant = null, string? claims = null) => new()
    {
        Target = "archive",
        Subject = new SubjectToken(proof, type ?? SubjectTokenType.IdToken),
        Actor = actor,
        Scopes = ScopeSet.Parse(scopes),
        MaxLifetime = life ?? TimeSpan.FromHours(1),
        Job = new JobContext(),
        Tenant = tenant,
        Claims = claims,
        Backchannel = channel,
        Time = new ManualTimeProvider(Now),
    };
}
