namespace Nhi.TokenExchange;

/// <summary>When a request was sent that has been answered: a life that an answer says counts from the try that it answers, not from those that failed before.</summary>
internal static class LastTry
{
    private static readonly HttpRequestOptionsKey<DateTimeOffset> Key = new("Nhi.TokenExchange.LastTry");

    /// <summary>The request is sent again.</summary>
    public static void Set(HttpRequestMessage request, TimeProvider time) => request.Options.Set(Key, time.GetUtcNow());

    /// <summary>The instant before the last try.</summary>
    /// <param name="request">It has been answered.</param>
    /// <param name="first">The instant before the first try.</param>
    public static DateTimeOffset Of(HttpRequestMessage request, DateTimeOffset first) => request.Options.TryGetValue(Key, out DateTimeOffset last) ? last : first;
}
