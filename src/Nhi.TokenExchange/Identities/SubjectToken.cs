using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>The proof of who the job is (RFC 8693 <c>subject_token</c>): for one audience, asked anew for each exchange.</summary>
/// <remarks>Can't be printed: <see cref="ToString"/> gives type, fingerprint and end.</remarks>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class SubjectToken
{
    /// <summary>Longest proof taken, in characters.</summary>
    internal const int MaxLength = JwtReader.MaxLength;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _token;

    private readonly ulong _fingerprint;

    /// <summary>Makes a proof from what a platform handed out.</summary>
    /// <param name="token">The token in its compact form, without white space; at most 65,536 characters.</param>
    /// <param name="type">What kind of token it is.</param>
    /// <param name="expiresAt">Its end if the platform said it beside the token; a JWT's own <c>exp</c> is read anyway.</param>
    /// <exception cref="ArgumentException">The token is empty, too long, or holds white space or a control character. It is never quoted.</exception>
    public SubjectToken(string token, SubjectTokenType type, DateTimeOffset? expiresAt = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(token);
        if (token.Length > MaxLength)
            throw new ArgumentException($"The proof has {token.Length} characters; at most {MaxLength} are taken.", nameof(token));
        int position = token.AsSpan().IndexOfAnyExceptInRange('!', '~');
        if (position >= 0)
            throw new ArgumentException($"The proof has white space, a control or a non-ASCII character at position {position} of {token.Length}.", nameof(token));
        _token = token;
        _fingerprint = Credential.FingerprintOf(token);
        Type = type;
        ExpiresAt = expiresAt;
    }

    /// <summary>What kind of token it is.</summary>
    public SubjectTokenType Type { get; }

    /// <summary>Its end if the platform said it beside the token.</summary>
    public DateTimeOffset? ExpiresAt { get; }

    /// <summary>
    /// The audience that the platform was asked for, where it writes another name of it into the token (Entra ID writes an application id). Compared with
    /// what the exchanger wants, instead of <c>aud</c>. Null: <c>aud</c> is compared.
    /// </summary>
    public Audience? AskedFor { get; init; }

    /// <summary>Whether the platform gives such a token to the machine, pod or service alone, so that it is a workload's even if it does not show that. A person's marks in it still count.</summary>
    public bool IsPlatformAttested { get; init; }

    /// <summary>Whether its source is, or may fall back to, a person's: taken with <see cref="ActsFor.PersonInDevelopment"/> alone, and audited as a person's, whatever the token shows.</summary>
    public bool IsAPersons { get; init; }

    /// <summary>Where it came from, for messages: such as a file in quotes. Null: not said.</summary>
    internal string? Place { get; init; }

    /// <summary>The first 16 hexadecimal digits of the SHA-256 of the token.</summary>
    public string Fingerprint => _fingerprint.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>The token itself. For exchangers that send it to their issuer; never for logs or messages.</summary>
    public string Reveal() => _token;

    /// <summary>Type, fingerprint and end; never the token.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"SubjectToken({Type}, {Fingerprint}, ends {ExpiresAt:O})");
}
