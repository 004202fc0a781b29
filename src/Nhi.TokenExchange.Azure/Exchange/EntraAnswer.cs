using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What Entra's token endpoint answered: the token, its life, or the error, read strictly from one bounded body.</summary>
internal sealed class EntraAnswer
{
    // A day is the longest that a policy can set; capable clients get a little more.
    private const long LongestSeconds = 48 * 60 * 60;

    public required HttpStatusCode Status { get; init; }

    /// <summary>The instant before the request was sent: lives count from here.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    public string? AccessToken { get; private set; }

    public string? TokenType { get; private set; }

    public long? ExpiresIn { get; private set; }

    public long? RefreshIn { get; private set; }

    /// <summary>The OAuth error; redacted, cleaned and cut.</summary>
    public string? Error { get; private set; }

    /// <summary>Redacted, cleaned and cut.</summary>
    public string? Description { get; private set; }

    /// <summary>The first AADSTS number; zero if there is none.</summary>
    public int Code { get; private set; }

    /// <summary>Whether the refusal brings claims: a challenge.</summary>
    public bool HasClaims { get; private set; }

    /// <summary>Under which names Microsoft finds the request in its logs: the correlation id, which is ours, and its own for the request.</summary>
    public string? CorrelationId { get; private set; }

    /// <summary>How far Entra's clock is ahead of ours, if it was said.</summary>
    public TimeSpan? ClockDifference { get; private init; }

    public TimeSpan? RetryAfter { get; private init; }

    /// <summary>What is wrong with the body; null if nothing is.</summary>
    public string? Fault { get; private set; }

    public bool HasGoodLife => ExpiresIn is > 0 and <= LongestSeconds;

    public static EntraAnswer Read(HttpResponseMessage response, ReadOnlySpan<byte> body, string? ownName, DateTimeOffset askedAt, TimeProvider time, SentSecrets sent)
    {
        var answer = new EntraAnswer
        {
            Status = response.StatusCode, AskedAt = askedAt, RetryAfter = RetryAfterHeader.Read(response, time), ClockDifference = response.Headers.Date - time.GetUtcNow(),
        };
        string? trace = response.Headers.TryGetValues("x-ms-request-id", out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
        string? correlation = null, description = null, error = null;
        var members = new JsonMembers(body, sent);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                // ext_expires_in is for outages of others' making and skipped: a dead token is not handed out. So is all that is not listed.
                case "access_token": answer.AccessToken = members.Text(); break;
                case "token_type": answer.TokenType = members.Text(); break;
                case "expires_in": answer.ExpiresIn = members.WholeNumber(); break;
                case "refresh_in": answer.RefreshIn = members.WholeNumber(); break;
                case "error": error = members.TextOrNumber(); break;
                case "error_description": description = members.TextOrNumber(); break;
                case "error_codes": answer.Code = FirstOf(members.Raw()); break;
                case "trace_id": trace = members.TextOrNumber() ?? trace; break;
                case "correlation_id": correlation = members.TextOrNumber(); break;
                case "claims": answer.HasClaims = !members.IsNull; break;
                default: break;
            }
        }
        if (!string.IsNullOrEmpty(answer.AccessToken))
            sent.Add(answer.AccessToken);
        answer.Fault = members.Fault;
        answer.Error = string.IsNullOrEmpty(error) ? null : OuterText.Shown(error, 60, sent);
        answer.Description = string.IsNullOrEmpty(description) ? null : OuterText.Shown(description, sent: sent);
        answer.CorrelationId = NameOf(correlation ?? ownName, trace, sent);
        return answer;
    }

    private static string? NameOf(string? correlation, string? trace, SentSecrets sent)
    {
        string shown = string.Join(", trace ", new[] { correlation, trace }.Where(id => !string.IsNullOrEmpty(id)).Select(id => OuterText.Shown(id, 60, sent)));
        return shown.Length == 0 ? null : shown;
    }

    private static int FirstOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return reader.Read() && reader.TokenType == JsonTokenType.StartArray && reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int code) ? code : 0;
    }
}
