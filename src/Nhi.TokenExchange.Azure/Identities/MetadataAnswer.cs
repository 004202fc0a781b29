using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>An answer of a host of managed identities, read whole within its limit, and what it says beside the token.</summary>
internal sealed class MetadataAnswer
{
    // MSAL's rule: a smaller number is seconds from now, a larger one is an instant (1 January 2001).
    private const long FirstInstant = 978_307_200;

    private const string Realm = "realm=";

    private readonly byte[] _body;
    private readonly HttpResponseMessage _unread;
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string? _token;

    private readonly string? _expiresOn;
    private readonly string? _expiresIn;

    private MetadataAnswer(HttpResponseMessage unread, byte[] body)
    {
        _unread = unread;
        _body = body;
        Status = unread.StatusCode;
        ContentType = OuterText.Shown(unread.Content.Headers.ContentType?.MediaType ?? "none", 60);
        var members = new JsonMembers(body);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "access_token": _token = members.Text(); break;
                case "expires_on": _expiresOn = members.TextOrNumber(); break;
                case "expires_in": _expiresIn = members.TextOrNumber(); break;
                case "resource": Resource = members.TextOrNumber(); break;
                case "client_id": ClientId = members.TextOrNumber(); break;
                case "error":
                    (Error, string? nested) = ReadError(members.Raw());
                    Description ??= nested;
                    break;
                case "error_description": Description = members.TextOrNumber(); break;
                case "message": Description ??= members.TextOrNumber(); break;
                default: break;
            }
        }
        // One fault is an error beside a token; whatever it is, no half of such an answer is believed.
        IsJson = members.Fault is null;
        HasToken = IsJson && !string.IsNullOrEmpty(_token);
        Error = Error is null ? null : OuterText.Shown(Error, 60);
        Description = string.IsNullOrEmpty(Description) ? null : OuterText.Shown(Description);
    }

    public HttpStatusCode Status { get; }

    public string ContentType { get; }

    public bool IsJson { get; }

    public bool HasToken { get; }

    /// <summary>For what the token is, as the host says; null if it does not say.</summary>
    public string? Resource { get; }

    /// <summary>Whose it is, as the host says; null if it does not say.</summary>
    public string? ClientId { get; }

    /// <summary>Redacted, cleaned and cut.</summary>
    public string? Error { get; }

    /// <summary>Redacted, cleaned and cut.</summary>
    public string? Description { get; }

    /// <summary>Reads it whole; of one that is longer than the limit nothing is kept.</summary>
    public static async Task<MetadataAnswer> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        byte[] piece = new byte[8 * 1024];
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        int read;
        while ((read = await stream.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (body.Length + read > maxBytes)
                return new MetadataAnswer(response, []);   // no token is as long: whatever it is, it is no metadata service
            await body.WriteAsync(piece.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }
        return new MetadataAnswer(response, body.ToArray());
    }

    /// <summary>The end of the token: an instant, or seconds from when it was asked for.</summary>
    /// <returns>Null if neither is said, or not in a way that can be read.</returns>
    public DateTimeOffset? EndCountedFrom(DateTimeOffset askedAt)
    {
        string? said = _expiresOn ?? _expiresIn;
        if (said is { Length: > 0 and <= 12 } && long.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out long number))
            return number >= FirstInstant ? DateTimeOffset.FromUnixTimeSeconds(Math.Min(number, 253_402_300_799)) : askedAt.AddSeconds(number);
        return DateTimeOffset.TryParse(said, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset instant) ? instant : null;
    }

    /// <summary>The token; empty if there is none.</summary>
    public string Reveal() => _token ?? "";

    /// <summary>The file that a Basic challenge names, whose content the host wants to see; null if none does.</summary>
    public string? FileOfChallenge() => _unread.Headers.WwwAuthenticate
        .Where(challenge => string.Equals(challenge.Scheme, "Basic", StringComparison.OrdinalIgnoreCase) && challenge.Parameter?.StartsWith(Realm, StringComparison.OrdinalIgnoreCase) == true)
        .Select(challenge => challenge.Parameter![Realm.Length..]).FirstOrDefault();

    /// <summary>An answer that MSAL has to go on with: one without a token.</summary>
    public HttpResponseMessage ToMessage()
    {
        var message = new HttpResponseMessage(Status) { Content = new ByteArrayContent(_body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (AuthenticationHeaderValue challenge in _unread.Headers.WwwAuthenticate)
            message.Headers.WwwAuthenticate.Add(challenge);
        return message;
    }

    // A text, or in some hosts an object with code and message.
    private static (string? Error, string? Description) ReadError(ReadOnlySpan<byte> raw)
    {
        if (raw.Length > 0 && raw[0] == '{')
        {
            string? code = null, message = null;
            var members = new JsonMembers(raw);
            while (members.MoveNext())
            {
                if (members.Name == "code")
                    code = members.TextOrNumber();
                else if (members.Name == "message")
                    message = members.TextOrNumber();
            }
            return (code, message);
        }
        var reader = new Utf8JsonReader(raw);
        return reader.Read() && reader.TokenType == JsonTokenType.String ? (reader.GetString(), null) : (null, null);
    }
}
