using System.Net;

namespace Nhi.TokenExchange;

/// <summary>The tries of one call: what came of the first, whether another is worth it, and how long to wait before.</summary>
internal sealed class Tries(
    HttpRequestMessage request,
    long started,
    TimeSpan limit,
    TimeProvider time,
    Func<double> jitter,
    Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
    HttpResponseMessage? firstResponse,
    TokenExchangeException? firstFailure)
{
    // Full jitter below an exponential bound: at most 0.5 s, 1.5 s, 4.5 s, 13.5 s, and never hammering. Doubled instead, all that came due in an outage of some seconds would come back within one.
    private const double Growth = 3;
    private static readonly TimeSpan FirstBound = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(50);

    private readonly WatchedTries? _watched = WatchedTries.Current;
    private CancellationToken _whileSent;
    private bool _firstIsTold;
    private int _serverErrors;

    /// <summary>How long to wait before the next try.</summary>
    public TimeSpan Wait { get; private set; }

    /// <summary>Whether what came of the first try was given to nobody yet.</summary>
    public bool IsFirstUntold => !_firstIsTold;

    /// <summary>What the last one that is worth another said; null: there was none yet.</summary>
    public TokenExchangeException? Last { get; private set; }

    /// <summary>Makes the token that the waits between two tries end with: they have sent nothing that could be answered yet.</summary>
    /// <param name="whileSent">Cancelled when no answer is waited for any more.</param>
    public CancellationTokenSource BeginWaits(CancellationToken whileSent)
    {
        _whileSent = whileSent;
        return CancellationTokenSource.CreateLinkedTokenSource(whileSent, _watched?.NoMoreFrom ?? default);
    }

    /// <summary>Gives what came of the first try; after that, tries again.</summary>
    public async ValueTask<HttpResponseMessage> NextAsync()
    {
        if (!_firstIsTold)
        {
            _firstIsTold = true;
            return firstResponse ?? throw firstFailure!;
        }
        if (request.Options.TryGetValue(IssuerBackchannel.NewContent, out Func<CancellationToken, ValueTask<HttpContent>>? make))
        {
            request.Content?.Dispose();
            request.Content = await make(_whileSent).ConfigureAwait(false);
        }
        LastTry.Set(request, time);
        _watched?.NoteSent(request.RequestUri!);
        return await send(request, _whileSent).ConfigureAwait(false);
    }

    /// <summary>Decides about another try.</summary>
    /// <param name="response">What came, if an answer did.</param>
    /// <param name="failure">What failed, if something did.</param>
    /// <param name="repeated">How many tries came after the first so far.</param>
    public bool IsAnotherWorthIt(HttpResponseMessage? response, Exception? failure, int repeated)
    {
        if (!MayPass(response, failure))
            return false;
        Last = failure as TokenExchangeException ?? RetryingHandler.RefusalOf(response!, request, time);
        _watched?.NoteFailed(Last);
        if (!CanBeSentAgain() || _watched is { NoMoreFrom.IsCancellationRequested: true })
            return false;
        if (response?.StatusCode != HttpStatusCode.TooManyRequests && request.Options.TryGetValue(IssuerBackchannel.EachOneMakesAnew, out bool anew) && anew)
            return false;
        TimeSpan wait = FirstBound * Math.Pow(Growth, repeated) * jitter();
        if (response is not null && RetryAfterHeader.Read(response, time) is { } asked)
            wait += asked;   // many were told the same
        if (wait < ShortestWait)
            wait = ShortestWait;
        Wait = wait;
        // Throttling is said before anything is done; after anything else the issuer may have done it all.
        if (response?.StatusCode != HttpStatusCode.TooManyRequests)
            request.Options.Set(IssuerBackchannel.MayRepeatALostOne, true);
        // What would end after the deadline is told at once, with what the issuer asked for: the caller's next try comes then.
        return time.GetElapsedTime(started) + wait < limit;
    }

    // Only a buffered body can go out twice; an assertion that may be used once brings its own successor.
    private bool CanBeSentAgain() =>
        request.Content is null or ByteArrayContent or ReadOnlyMemoryContent || request.Options.TryGetValue(IssuerBackchannel.NewContent, out _);

    private bool MayPass(HttpResponseMessage? response, Exception? failure)
    {
        if (response is null)
            return failure is TokenExchangeException { IsTransient: true };
        if (response.StatusCode != HttpStatusCode.InternalServerError)
            return RetryingHandler.IsTransient(request, response);
        // 500 may be a bug that this very request meets: asked once more, and not at all where the issuer's own clients don't.
        return ++_serverErrors == 1 && !(request.Options.TryGetValue(IssuerBackchannel.ServerErrorIsFinal, out bool final) && final);
    }
}
