using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>What MSAL says to Entra in one exchange: over the job's back channel, to the token endpoint alone. MSAL sees good answers only, and so remembers no bad ones.</summary>
internal sealed class EntraConversation(Uri tokenEndpoint, ExchangeRequest request) : HttpMessageHandler, IMsalHttpClientFactory
{
    // As much as the back channel takes; another one need not have a limit.
    private const int MaxBytes = 1024 * 1024;

    private HttpClient? _client;

    /// <summary>What must not be shown.</summary>
    public SentSecrets Sent { get; } = new();

    /// <summary>What came back, if anything did.</summary>
    public EntraAnswer? Answer { get; private set; }

    /// <summary>Why nothing came back.</summary>
    public TokenExchangeException? Failure { get; private set; }

    public HttpClient GetHttpClient() => _client ??= new HttpClient(this, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };   // the back channel keeps the time

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        if (message.RequestUri != tokenEndpoint || Answer is not null)
            throw new InvalidOperationException("MSAL asks for more than a token.");
        Sent.Add(request.Subject.Reveal());
        RefusalIsWanted.Set(message);   // a refusal for now, too, has its number
        await MakeRepeatableAsync(message, cancellationToken).ConfigureAwait(false);
        (DateTimeOffset, long) first = LastTry.First(request.Time);
        try
        {
            HttpResponseMessage response = await request.Backchannel.SendAsync(message, cancellationToken).ConfigureAwait(false);
            return await TakeAsync(response, OwnNameOf(message), LastTry.Of(message, first, request.Time), cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException failure)
        {
            Failure = failure;
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _client?.Dispose();
        base.Dispose(disposing);
    }

    // MSAL hands its form on as a stream; the back channel repeats only what it can send twice.
    private static async Task MakeRepeatableAsync(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        if (message.Content is not { } form)
            return;
        var buffered = new ByteArrayContent(await form.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false));
        buffered.Headers.ContentType = form.Headers.ContentType;
        message.Content = buffered;
        form.Dispose();
    }

    // Microsoft's logs call a request by what its client called it; answers that grant do not repeat that.
    private static string? OwnNameOf(HttpRequestMessage message) => message.Headers.TryGetValues("client-request-id", out IEnumerable<string>? values) ? values.FirstOrDefault() : null;

    private async Task<HttpResponseMessage> TakeAsync(HttpResponseMessage response, string? ownName, DateTimeOffset askedAt, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentLength > MaxBytes)
            throw new TokenExchangeException(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer is longer than {MaxBytes} bytes.");
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        Answer = EntraAnswer.Read(response, body, ownName, askedAt, request.Time, Sent);
        if (response.IsSuccessStatusCode && !string.IsNullOrEmpty(Answer.AccessToken))
            return response;
        response.Dispose();
        throw new InvalidOperationException("There is no token; what there is was kept.");
    }
}
