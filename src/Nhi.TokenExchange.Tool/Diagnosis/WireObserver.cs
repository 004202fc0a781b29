using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Sees what the job sends to issuers, and how they answer: to whom, how long it took, and by how much their clocks differ. Looks at no body and keeps no header but the date.</summary>
internal sealed class WireObserver(TimeProvider time)
{
    private readonly ConcurrentQueue<Answer> _answers = new();

    /// <summary>Puts the observer around the wire of a session.</summary>
    public HttpMessageHandler Around(HttpMessageHandler wire) => new Handler(this, wire);

    /// <summary>What came since the last call.</summary>
    public IReadOnlyList<Answer> Take()
    {
        var taken = new List<Answer>();
        while (_answers.TryDequeue(out Answer? answer))
            taken.Add(answer);
        return taken;
    }

    /// <summary>One request and its answer.</summary>
    /// <param name="Host">Whom it went to.</param>
    /// <param name="Took">How long the answer took.</param>
    /// <param name="Status">The answer's status; null: none came.</param>
    /// <param name="ClockDifference">By how much the other clock is ahead; null where the answer did not say.</param>
    /// <param name="Failure">Why none came.</param>
    internal sealed record Answer(Uri Host, TimeSpan Took, int? Status, TimeSpan? ClockDifference, HttpRequestError? Failure);

    private sealed class Handler(WireObserver observer, HttpMessageHandler wire) : DelegatingHandler(wire)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var host = new Uri(request.RequestUri!.GetLeftPart(UriPartial.Authority));
            long start = observer.Time.GetTimestamp();
            try
            {
                HttpResponseMessage response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                observer._answers.Enqueue(new Answer(host, Took(), (int)response.StatusCode, response.Headers.Date - observer.Time.GetUtcNow(), Failure: null));
                return response;
            }
            catch (HttpRequestException failed)
            {
                observer._answers.Enqueue(new Answer(host, Took(), Status: null, ClockDifference: null, failed.HttpRequestError));
                throw;
            }

            TimeSpan Took() => observer.Time.GetElapsedTime(start);
        }
    }

    private TimeProvider Time { get; } = time;
}
