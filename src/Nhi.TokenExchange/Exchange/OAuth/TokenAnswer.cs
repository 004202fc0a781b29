using System.Diagnostics;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What a token endpoint said in a 200 answer (RFC 6749 §5.1, RFC 8693 §2.2.1), and what was wrong with how it said it.</summary>
internal sealed class TokenAnswer
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    public string? AccessToken { get; private init; }

    public string? IssuedTokenType { get; private init; }

    public string? TokenType { get; private init; }

    public string? Scope { get; private init; }

    /// <summary>Seconds; not checked for its range.</summary>
    public long? ExpiresIn { get; private init; }

    /// <summary>The JSON text of what was granted (RFC 9396 §7).</summary>
    public string? AuthorizationDetails { get; private init; }

    /// <summary>The first fault of the form, such as "has 'scope' twice"; null if there is none. Quotes no value.</summary>
    public string? Fault { get; private init; }

    /// <summary>Whether it names an error, as some issuers do with status 200.</summary>
    public bool NamesAnError { get; private init; }

    /// <summary>What was sent, and the token that came: not to be shown.</summary>
    public required SentSecrets Secrets { get; init; }

    /// <summary>The instant before the request was sent that this answers: lives count from here.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    public string? CorrelationId { get; init; }

    /// <summary>Reads a body. <paramref name="fault"/> is what is wrong with the answer around it, if anything is.</summary>
    public static TokenAnswer Read(ReadOnlySpan<byte> json, DateTimeOffset askedAt, string? correlationId, SentSecrets secrets, string? fault)
    {
        string? accessToken = null, issuedTokenType = null, tokenType = null, scope = null, details = null;
        long? expiresIn = null;
        bool namesAnError = false;
        var members = new JsonMembers(json, secrets);
        while (members.MoveNext())
        {
            // Any other member is skipped unread, a refresh_token too: a job keeps nothing that outlives it.
            switch (members.Name)
            {
                case "access_token": accessToken = members.Text(); break;
                case "issued_token_type": issuedTokenType = members.Text(); break;
                case "token_type": tokenType = members.Text(); break;
                case "scope": scope = members.Text(); break;
                case "expires_in": expiresIn = members.WholeNumber(); break;
                case "authorization_details": details = members.IsNull ? null : Encoding.UTF8.GetString(members.Raw()); break;
                case "error": namesAnError = !members.IsNull && members.TextOrNumber() is not ""; break;
                default: break;
            }
        }
        if (!string.IsNullOrEmpty(accessToken))
            secrets.Add(accessToken);
        if (namesAnError)
            fault ??= "has an 'error' beside what it grants";
        return new TokenAnswer
        {
            AccessToken = accessToken, IssuedTokenType = issuedTokenType, TokenType = tokenType, Scope = scope, ExpiresIn = expiresIn,
            AuthorizationDetails = details, Fault = fault ?? members.Fault, NamesAnError = namesAnError, Secrets = secrets, AskedAt = askedAt, CorrelationId = correlationId,
        };
    }
}
