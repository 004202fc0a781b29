using System.Diagnostics;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>What came back for one call, before anybody says what it means.</summary>
internal sealed class VaultReply
{
    private const int MostErrors = 5;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly byte[] _body;

    private readonly SentSecrets _sent;

    public VaultReply(VaultCall call, HttpResponseMessage response, byte[] body, SentSecrets sent)
    {
        Call = call;
        Status = (int)response.StatusCode;
        _body = body;
        _sent = sent;
        Response = response;
        IsJson = OAuthIssuer.IsJson(response.Content);
        CorrelationId = CorrelationIds.Of(response, sent);
        Errors = IsJson ? ReadTexts(body, "errors") : [];
    }

    public VaultCall Call { get; }

    /// <summary>The instant before the request was sent that this answers.</summary>
    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>Whether an earlier try of the same call may have reached Vault, and failed there.</summary>
    public required bool MayRepeatALostOne { get; init; }

    public int Status { get; }

    /// <summary>200 with warnings means the same as 204.</summary>
    public bool IsSuccess => Status is 200 or 204;

    /// <summary>Whether Vault said that what it was asked to end has ended: 204, or its JSON without errors. Of a 200 with anything else somebody else is the author, such as a sign-in page: nothing is known then.</summary>
    public bool SaysItIsDone => Status == 204 || (Status == 200 && (_body.Length == 0 || (IsJson && IsObject(_body) && Errors.Count == 0)));

    public bool IsJson { get; }

    public string? CorrelationId { get; }

    /// <summary>Its headers; the body is gone.</summary>
    public HttpResponseMessage Response { get; }

    /// <summary>What Vault says against it, as it came: to be looked at, not to be shown.</summary>
    public IReadOnlyList<string> Errors { get; }

    /// <summary>The same, fit for a message.</summary>
    public string Shown => OuterText.Shown(string.Join("; ", Errors.Select(error => error.ReplaceLineEndings(" "))), sent: _sent);

    /// <summary>Whether Vault said, of a 403, that it does not know the token (any more).</summary>
    public bool SaysTokenIsDead => Status == 403 && (Says("invalid token") || Says("bad token"));

    /// <summary>Whether Vault said that the token may not do that. Of a 403 without these words somebody else may be the author: a gateway, a firewall.</summary>
    public bool SaysItIsDenied => Status == 403 && Says("permission denied");

    /// <summary>Whether Vault said that there is no such lease or accessor (any more).</summary>
    public bool SaysItIsGone => Status is 400 or 404 && (Says("lease not found") || Says("invalid lease") || Says("lease expired") || Says("invalid accessor") || Says("accessor not found") || Says("token not found"));

    /// <summary>Whether Vault said that the secrets engine could not end a lease. Its status is that of a bad request, whatever it was that failed.</summary>
    public bool SaysEngineFailed => Status == 400 && Says("failed to revoke entry");

    /// <summary>Whether Vault said, of a 200, that there was no such accessor: it warns only.</summary>
    public bool WarnsItIsGone => Status == 200 && IsJson && ReadTexts(_body, "warnings").Any(warning => warning.Contains("No token found", StringComparison.OrdinalIgnoreCase));

    public bool Says(string words) => Errors.Any(error => error.Contains(words, StringComparison.OrdinalIgnoreCase));

    /// <exception cref="TokenExchangeException">It is not Vault's JSON.</exception>
    public VaultAnswer ReadAnswer()
    {
        if (_body.Length > 0 && !IsJson)
        {
            throw new TokenExchangeException(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer at {Call.Path} ({_body.Length} bytes) is not JSON.")
            {
                IsTransient = true, CorrelationId = CorrelationId, Hint = "Check the address of the server; a proxy or a sign-in page may have answered.",
            };
        }
        return VaultAnswer.Read(_body, AskedAt, _sent);
    }

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        var members = new JsonMembers(json);
        while (members.MoveNext())
            continue;
        return members.Fault is null;
    }

    // {"errors":["…"]}, which may be empty; whatever is wrong with it, it is still a refusal.
    private static List<string> ReadTexts(ReadOnlySpan<byte> json, string name)
    {
        var texts = new List<string>();
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (members.Name != name)
                continue;
            var reader = new Utf8JsonReader(members.Raw());
            try
            {
                while (reader.Read() && texts.Count < MostErrors)
                {
                    if (reader.TokenType == JsonTokenType.String)
                        texts.Add(reader.GetString()!);
                }
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException)
            {
                texts.Add("unreadable");
            }
        }
        return texts;
    }
}
