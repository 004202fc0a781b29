namespace Nhi.TokenExchange;

/// <summary>When a request was sent that has been answered: a life that an answer says counts from the try that it answers, not from those that failed before.</summary>
internal static class LastTry
{
    // By the monotonic hand: the wall may have been set since the first try.
    private static readonly HttpRequestOptionsKey<long> Key = new("Nhi.TokenExchange.LastTry");

    /// <summary>The instant before the first try, by both hands.</summary>
    public static (DateTimeOffset At, long Timestamp) First(TimeProvider time) => (time.GetUtcNow(), time.GetTimestamp());

    /// <summary>The request is sent again.</summary>
    public static void Set(HttpRequestMessage request, TimeProvider time) => request.Options.Set(Key, time.GetTimestamp());

    /// <summary>The instant before the last try.</summary>
    /// <param name="request">It has been answered.</param>
    /// <param name="first">The instant before its first try.</param>
    /// <param name="time">The clock of both.</param>
    public static DateTimeOffset Of(HttpRequestMessage request, (DateTimeOffset At, long Timestamp) first, TimeProvider time) =>
        request.Options.TryGetValue(Key, out long last) ? first.At + time.GetElapsedTime(first.Timestamp, last) : first.At;
}
