using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>Reads <c>Retry-After</c> (RFC 9110 §10.2.3): seconds or a date.</summary>
internal static class RetryAfterHeader
{
    // A server that asks for more has stopped meaning us.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <returns>The wait, at most five minutes; null if the header is absent, garbage or in the past.</returns>
    public static TimeSpan? Read(HttpResponseMessage response, TimeProvider time)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date - time.GetUtcNow());
        if (wait is not { } asked || asked <= TimeSpan.Zero)
            return null;
        return asked < Longest ? asked : Longest;
    }
}
