using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Tells a refused credential from a denial: 401, or 403 that says that the token is expired or invalid.</summary>
internal static class CredentialRefusal
{
    // An error document is shorter; what stands after that is not looked at.
    internal const int PeekBytes = 4 * 1024;

    // Databricks answers 403 where others answer 401, in the body and in this header.
    private const string DatabricksReason = "X-Databricks-Reason-Phrase";

    private static readonly string[] Phrases =
    [
        "invalid_token",                // RFC 6750 §3.1
        "invalid access token",         // Databricks
        "invalid token",                // Databricks, older
        "expiring within",              // Databricks: the last 30 seconds of a life
        "token is expired", "token has expired", "token expired", "expired token", "expired access token",
    ];

    /// <summary>Whether this answer refuses the credential. Reads the start of a 403's body; who reads the body later sees all of it.</summary>
    public static async ValueTask<bool> IsInAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (IsInHead(response) is { } known)
            return known;
        HttpContent content = response.Content;
        var peeked = new byte[PeekBytes];
        int count = 0;
        try
        {
            Stream body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                count = await body.ReadAtLeastAsync(peeked, peeked.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            }
            catch (IOException)
            {
                // Whoever reads the body meets the same error.
            }
            response.Content = PeekedContent.Of(content, peeked.AsMemory(0, count), body);
        }
        catch
        {
            response.Dispose();
            throw;
        }
        return SaysSo(peeked.AsSpan(0, count));
    }

    /// <summary>As <see cref="IsInAsync"/>, on the caller's thread.</summary>
    public static bool IsIn(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (IsInHead(response) is { } known)
            return known;
        HttpContent content = response.Content;
        var peeked = new byte[PeekBytes];
        int count = 0;
        try
        {
            Stream body = content.ReadAsStream(cancellationToken);
            try
            {
                count = body.ReadAtLeast(peeked, peeked.Length, throwOnEndOfStream: false);
            }
            catch (IOException)
            {
                // Whoever reads the body meets the same error.
            }
            response.Content = PeekedContent.Of(content, peeked.AsMemory(0, count), body);
        }
        catch
        {
            response.Dispose();
            throw;
        }
        return SaysSo(peeked.AsSpan(0, count));
    }

    /// <summary>What status and headers say; null if only the body can tell.</summary>
    private static bool? IsInHead(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.Unauthorized)
            return true;
        if (response.StatusCode != HttpStatusCode.Forbidden)
            return false;
        foreach (AuthenticationHeaderValue challenge in response.Headers.WwwAuthenticate)
        {
            if (challenge.Parameter is { } parameter && parameter.Contains("invalid_token", StringComparison.Ordinal))
                return true;
        }
        if (response.Headers.NonValidated.TryGetValues(DatabricksReason, out HeaderStringValues reasons) && SaysSo(reasons.ToString()))
            return true;
        // Text only: the handler below has undone a compression, or has left it to the caller.
        string? type = response.Content.Headers.ContentType?.MediaType;
        bool isText = type is null || type.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || type.EndsWith("json", StringComparison.OrdinalIgnoreCase);
        return isText && response.Content.Headers.ContentEncoding.Count == 0 && response.Content.Headers.ContentLength != 0 ? null : false;
    }

    private static bool SaysSo(ReadOnlySpan<byte> body) => SaysSo(Encoding.UTF8.GetString(body));

    private static bool SaysSo(string text)
    {
        foreach (string phrase in Phrases)
        {
            if (text.Contains(phrase, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }
}
