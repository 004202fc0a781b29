namespace Nhi.TokenExchange;

/// <summary>Finds the issuer's name for a request in the headers that are in use for it.</summary>
internal static class CorrelationIds
{
    private static readonly string[] Names = ["x-request-id", "x-ms-request-id", "x-correlation-id", "x-amzn-requestid"];

    public static string? Of(HttpResponseMessage response, SentSecrets? sent = null)
    {
        foreach (string name in Names)
        {
            if (response.Headers.TryGetValues(name, out IEnumerable<string>? values) && values.FirstOrDefault() is { Length: > 0 } value)
                return OuterText.Shown(value, maxLength: 100, sent);
        }
        return null;
    }
}
