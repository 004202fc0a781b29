namespace Nhi.TokenExchange;

/// <summary>What an issuer said in an error answer: RFC 6749 §5.2, or the <c>error_code</c> (a word or a number) and <c>message</c> of a REST gateway before it, or the <c>errorCode</c> and <c>errorSummary</c> of some identity providers, or the object <c>error</c> of Google's APIs.</summary>
internal readonly record struct ErrorAnswer(string Error, string Description, string? Uri, string? CorrelationId)
{
    /// <summary>One that names no error.</summary>
    public static readonly ErrorAnswer Nothing = new("unknown", "", null, null);

    /// <summary>Whether it names an error, be it that none is known.</summary>
    public bool IsSaid { get; private init; }

    private const int LongestCode = 60;

    /// <summary>Reads a body leniently: an error that is badly said is still an error. All texts are redacted, cleaned and cut.</summary>
    public static ErrorAnswer Read(ReadOnlySpan<byte> json, SentSecrets sent)
    {
        string? error = null, code = null, description = null, message = null, uri = null, correlation = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "error": ReadError(ref members, ref error, ref message); break;
                case "error_description": description = members.TextOrNumber(); break;
                case "error_uri": uri = members.TextOrNumber(); break;
                case "error_code" or "errorCode": code = members.TextOrNumber(); break;
                case "message" or "errorSummary": message = members.TextOrNumber(); break;
                case "correlation_id": correlation = members.TextOrNumber(); break;
                default: break;
            }
        }
        bool isSaid = (error ?? code) is { Length: > 0 };
        return Nothing with
        {
            Error = isSaid ? OuterText.Shown(error ?? code, LongestCode, sent) : Nothing.Error,
            Description = OuterText.Shown(description ?? message, sent: sent),
            Uri = uri is null ? null : OuterText.Shown(uri, sent: sent),
            CorrelationId = correlation is null ? null : OuterText.Shown(correlation, LongestCode, sent),
            IsSaid = isSaid,
        };
    }

    // {"error":{"code":403,"message":"…","status":"PERMISSION_DENIED"}}
    private static void ReadError(ref JsonMembers members, ref string? error, ref string? message)
    {
        error = members.TextOrNumber();
        if (error is not null)
            return;
        var inner = new JsonMembers(members.Raw());
        while (inner.MoveNext())
        {
            switch (inner.Name)
            {
                case "status": error = inner.TextOrNumber(); break;
                case "message": message = inner.TextOrNumber(); break;
                default: break;
            }
        }
    }
}
