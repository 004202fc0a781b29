using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A Vault that is nothing but a list of answers, of which the last stays. No back channel is before it, so that nothing is asked twice.</summary>
internal sealed class ScriptedVault : HttpMessageHandler
{
    // They look like no token: what is taken out of a message is what was sent.
    public const string Proof = "words-that-prove-a-job";
    public const string Token = "words-that-prove-a-login";
    public const string OtherToken = "words-that-prove-another";

    public const string Path = "database/creds/readonly";

    public static readonly Uri Address = new("https://vault.test:8200");

    private readonly (int Status, string Body)[] _answers;

    public ScriptedVault(params (int Status, string Body)[] answers)
    {
        _answers = answers;
        Channel = new HttpMessageInvoker(this, disposeHandler: false);
    }

    public HttpMessageInvoker Channel { get; }

    public ManualTimeProvider Time { get; } = new();

    public List<ReceivedRequest> Requests { get; } = [];

    /// <summary>Method and path of what was asked.</summary>
    public IEnumerable<string> Asked => Requests.Select(request => $"{request.Method} {request.Path}");

    /// <summary>The type of what is answered.</summary>
    public string Type { get; init; } = "application/json";

    /// <summary>The headers of what is answered.</summary>
    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>Which requests, counted from 1, may repeat one whose answer was lost.</summary>
    public int[] Repeated { get; init; } = [];

    /// <summary>A refusal with its errors.</summary>
    public static (int Status, string Body) No(int status, string? error = null) => (status, error is null ? """{"errors":[]}""" : $$"""{"errors":["{{error}}"]}""");

    public static SubjectToken SubjectOf(string token) => new(token, SubjectTokenType.AccessToken);

    /// <summary>A secret that is held for ten minutes more.</summary>
    public VaultSecret Secret(bool isRenewable = true, string issuedTo = Token) =>
        new("""{"username":"u"}""", Time.GetUtcNow().AddMinutes(10)) { IssuedTo = SubjectOf(issuedTo), IsRenewable = isRenewable };

    public ExchangeRequest Request(string subject = Token, Credential? held = null, string? handle = null, TimeSpan? longest = null, SubjectToken? actor = null, string? tenant = null) => new()
    {
        Target = "database", Subject = SubjectOf(subject), Held = held, HeldHandle = handle, MaxLifetime = longest ?? TimeSpan.FromHours(1), Actor = actor, Tenant = tenant, Job = new JobContext(), Backchannel = Channel, Time = Time,
    };

    public async Task<Issued<BearerToken>> LoginAsync(Action<VaultLoginOptions>? options = null) => await Targets.VaultLogin(Address, "orders", options).ExchangeAsync(Request(Proof), default);

    public async Task<Issued<VaultSecret>> ReadAsync(Action<VaultSecretOptions>? options = null, string path = Path) => await Targets.VaultSecret(Address, path, options).ExchangeAsync(Request(), default);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Requests.Add(new ReceivedRequest(request.Method.Method, request.RequestUri!.PathAndQuery, request.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase), body));
        if (Repeated.Contains(Requests.Count))
            request.Options.Set(IssuerBackchannel.MayRepeatALostOne, true);
        (int status, string answer) = _answers[Math.Min(Requests.Count, _answers.Length) - 1];
        var response = new HttpResponseMessage((HttpStatusCode)status) { RequestMessage = request, Content = new ByteArrayContent(Encoding.UTF8.GetBytes(answer)) { Headers = { ContentType = new MediaTypeHeaderValue(Type) } } };
        foreach ((string name, string value) in Headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Channel.Dispose();
        base.Dispose(disposing);
    }
}
