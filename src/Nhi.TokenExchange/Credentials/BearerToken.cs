using System.Buffers;
using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>An OAuth bearer token (RFC 6750).</summary>
public sealed class BearerToken : Credential
{
    /// <summary>Longest token taken, in characters. Larger ones do not fit the header limits of common servers.</summary>
    internal const int MaxLength = 64 * 1024;

    // RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    private AuthenticationHeaderValue? _header;

    /// <summary>Makes a token from what an issuer answered.</summary>
    /// <param name="token">The token, in the characters of RFC 6750 §2.1; at most 65,536 of them.</param>
    /// <param name="expiresAt">The instant from which the issuer says it is dead.</param>
    /// <exception cref="ArgumentException">The token is empty, too long, or has another character (named by position, never quoted).</exception>
    public BearerToken(string token, DateTimeOffset expiresAt)
        : base(Checked(token), expiresAt)
    {
    }

    /// <summary>The token itself. For adapters that hand it to the target; never for logs or messages.</summary>
    public string Reveal() => Secret;

    /// <summary>Sets <c>Authorization: Bearer …</c>.</summary>
    /// <param name="headers">The headers of the one request that goes to this token's target.</param>
    public void ApplyTo(HttpRequestHeaders headers)
    {
        ArgumentNullException.ThrowIfNull(headers);
        // Made once. Two threads may both make it: the values are equal and immutable, either may stay.
        headers.Authorization = _header ??= new AuthenticationHeaderValue("Bearer", Secret);
    }

    private static string Checked(string token)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        if (token.Length > MaxLength)
            throw new ArgumentException($"The token has {token.Length} characters; at most {MaxLength} are taken.", nameof(token));
        int position = token.AsSpan().IndexOfAnyExcept(TokenCharacters);
        if (position >= 0)
            throw new ArgumentException($"The token has a character at position {position} of {token.Length} that RFC 6750 §2.1 does not allow.", nameof(token));
        return token;
    }
}
