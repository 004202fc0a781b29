using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

#pragma warning disable CA1064 // It never leaves this assembly: every endpoint turns it into an answer.
/// <summary>A request that is refused: the OAuth error, the words for people, and the ledger's reason.</summary>
/// <remarks>An exception, so that each check is one line in the flow that it guards.</remarks>
internal sealed class OAuthRefusal(string error, string reason, string description, int status = 400) : Exception(description)
{
    /// <summary>RFC 6749 §5.2, RFC 8693 §2.2.2.</summary>
    public string Error => error;

    /// <summary>The name of the check that said no, as the ledger keeps it.</summary>
    public string Reason => reason;

    public int Status => status;

    /// <summary>How the refusing server writes its errors; null: as RFC 6749 §5.2 says.</summary>
    public Func<EmulatorRequest, EmulatorAnswer>? Render { get; init; }

    /// <summary>The client that was recognised before the refusal, if any.</summary>
    public string? ClientId { get; set; }

    public static OAuthRefusal InvalidRequest(string reason, string description) => new("invalid_request", reason, description);

    // RFC 6749 §5.2: 401 is demanded only when the client used the Authorization header; for all others 400 or 401. We say 401, as most servers do.
    public static OAuthRefusal InvalidClient(string reason, string description) => new("invalid_client", reason, description, 401);

    public EmulatorAnswer ToAnswer(EmulatorRequest request)
    {
        if (Render is not null)
            return Render(request);
        EmulatorAnswer answer = EmulatorAnswer.Of(new JsonObject { ["error"] = Error, ["error_description"] = Printable(Message) }, Status).NotStored();
        if (Status == 401)
            answer.Headers["WWW-Authenticate"] = "Bearer";
        return answer;
    }

    // RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E, so neither quote nor backslash.
    private static string Printable(string text) => string.Concat(text.Select(c => c is >= ' ' and <= '~' and not '"' and not '\\' ? c : '\''));
}
