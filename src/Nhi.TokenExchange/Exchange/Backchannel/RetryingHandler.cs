using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Bounds a call by one deadline and repeats what failed in passing.</summary>
/// <remarks>The first try goes straight. What repeats is built when something has to be repeated: most processes never pay for it.</remarks>
internal sealed class RetryingHandler(HttpMessageHandler inner, TimeProvider time, Func<double> jitter) : DelegatingHandler(inner)
{
    private readonly Lazy<TransientRetries> _retries = new(() => new TransientRetries(time, jitter));

    /// <summary>Statuses that say "not now" and nothing about the request.</summary>
    public static bool IsTransient(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Whether an answer says "not now", by its status or in the words of its issuer.</summary>
    public static bool IsTransient(HttpRequestMessage request, HttpResponseMessage response) =>
        IsTransient(response.StatusCode) || (request.Options.TryGetValue(IssuerBackchannel.SaysNotNow, out Func<HttpResponseMessage, bool>? says) && says(response));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        WatchedTries.Current?.NoteSent(request.RequestUri!);
        long started = time.GetTimestamp();
        TimeSpan limit = request.Options.TryGetValue(IssuerBackchannel.Within, out TimeSpan within) ? within : IssuerBackchannel.CallDeadline;
        using var deadline = new CancellationTokenSource(limit, time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            HttpResponseMessage response = await SendAsync(request, started, limit, bounded.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && request.Method != HttpMethod.Get)
                WatchedTries.Current?.NoteGiven();
            if (!IsTransient(response.StatusCode) || RefusalIsWanted.IsSet(request))
                return response;
            using (response)
                throw RefusalOf(response, request, time);
        }
        catch (OperationCanceledException exception) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TokenExchangeException(ErrorCodes.DeadlineExceeded, ExchangeStage.Exchange, FormattableString.Invariant($"Host {request.RequestUri!.IdnHost} gave no whole answer within {limit.TotalSeconds:0.#} s."), exception)
            {
                IsTransient = true,
            };
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, long started, TimeSpan limit, CancellationToken cancellationToken)
    {
        HttpResponseMessage? response = null;
        TokenExchangeException? failure = null;
        try
        {
            response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (!IsTransient(request, response) && response.StatusCode != HttpStatusCode.InternalServerError)
                return response;
        }
        catch (TokenExchangeException exception) when (exception.IsTransient)
        {
            failure = exception;
        }
        var tries = new Tries(request, started, limit, time, jitter, base.SendAsync, response, failure);
        return await _retries.Value.GoOnAsync(tries, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The error that says of an answer that it was "not now".</summary>
    public static TokenExchangeException RefusalOf(HttpResponseMessage response, HttpRequestMessage request, TimeProvider time)
    {
        Uri endpoint = request.RequestUri!;
        bool throttled = response.StatusCode == HttpStatusCode.TooManyRequests;
        return new TokenExchangeException(
            throttled ? ErrorCodes.IssuerThrottled : ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, $"Host {endpoint.IdnHost}:{endpoint.Port} answered {(int)response.StatusCode} at {OuterText.Shown(endpoint.AbsolutePath)}.")
        {
            IsTransient = true,
            RetryAfter = RetryAfterHeader.Read(response, time),
            CorrelationId = CorrelationIds.Of(response, IssuerRequest.SecretsOf(request)),
            Hint = throttled ? "The issuer limits how often it is asked; ask less often or have the limit raised." : "The server, or what stands before it, is down or restarting: look at its health and its log. If it never answers otherwise, check the address.",
        };
    }
}
