using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>What may be sent as <c>resource</c> (RFC 8693 §2.1, RFC 8707 §2): any absolute URI (RFC 3986 §4.3) without fragment.</summary>
internal static class ResourceIndicator
{
    public const string Remedy = "Write scheme and rest, without fragment, such as https://warehouse.example/orders or urn:example:orders (RFC 8707 §2).";

    // RFC 3986 §2: reserved, unreserved, and the percent of what is encoded; the # begins a fragment.
    private static readonly SearchValues<char> Characters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?[]@!$&'()*+,;=%");

    /// <summary>What is wrong with a resource; null if nothing is. It is never quoted.</summary>
    /// <param name="text">The resource as it would be sent: character for character.</param>
    public static string? FaultOf(string text)
    {
        if (text.Contains('#', StringComparison.Ordinal))
            return "has a fragment (from the # on)";
        int odd = text.AsSpan().IndexOfAnyExcept(Characters);
        if (odd >= 0)
            return $"has a character at position {odd} that no URI has; percent-encode it";
        // /orders alone is a path, though the platform reads it as file:///orders.
        return Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && text.StartsWith(uri.Scheme + ":", StringComparison.OrdinalIgnoreCase) && text.Length > uri.Scheme.Length + 1
            ? null : "is not an absolute URI";
    }
}
