using System.Buffers;

namespace Nhi.TokenExchange;

/// <summary>Open Policy Agent's REST data API: <c>POST /v1/data/{path}</c> with <c>{"input": …}</c>.</summary>
/// <remarks>www.openpolicyagent.org/docs/rest-api, "Get a Document (with Input)". A rule that is undefined is a 200 without <c>result</c>: a deny, as an absent default is anywhere else.</remarks>
internal sealed class OpaPoint : IDecisionPoint
{
    public const string PathRemedy = "Write package and rule as they stand behind /v1/data/: names of letters, digits, '_', '-' and '.' with slashes between them, such as tokens/decision.";

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

    private readonly Uri _endpoint;

    public OpaPoint(Uri server, string path)
    {
        _endpoint = new Uri($"{server.GetLeftPart(UriPartial.Path).TrimEnd('/')}/v1/data/{path}");
        Rule = $"opa {path}";
        Identifier = $"opa {_endpoint.OriginalString}";
    }

    public string Rule { get; }

    public string Identifier { get; }

    /// <summary>Says what is wrong with a path; null if nothing is.</summary>
    public static string? FaultOfPath(string path)
    {
        if (path.Length is 0 or > 200)
            return "is empty or longer than 200 characters";
        if (path.StartsWith("v1/data", StringComparison.Ordinal) || path.StartsWith("data/", StringComparison.Ordinal))
            return "begins with what is put before it";
        foreach (string name in path.Split('/'))
        {
            if (name is "" or "." or ".." || name.AsSpan().ContainsAnyExcept(NameCharacters))
                return "has a part that is no name";
        }
        return null;
    }

    public async Task<DecisionAnswer> AskAsync(DecisionCall call, CancellationToken cancellationToken)
    {
        byte[] body = [.. "{\"input\":"u8, .. call.Question.Span, (byte)'}'];
        using HttpResponseMessage response = await DecisionChannel.PostAsync(_endpoint, body, call, cancellationToken).ConfigureAwait(false);
        DecisionAnswer answer = Read(DecisionChannel.BodyOf(response), call);
        return answer.CorrelationId is null ? answer with { CorrelationId = CorrelationIds.Of(response) } : answer;
    }

    private DecisionAnswer Read(ReadOnlySpan<byte> json, DecisionCall call)
    {
        string? decisionId = null;
        DecisionAnswer? answer = null;
        string? fault = null, idFault = null;
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "result": (answer, fault) = ReadResult(members.Raw()); break;
                case "decision_id": (decisionId, idFault) = ReadId(members.Raw()); break;
                default: break;   // metrics, provenance, warning
            }
        }
        if ((members.Fault ?? fault ?? (answer is { IsPermitted: true } ? idFault : null)) is { } wrong)
            throw DecisionFailure.Malformed(_endpoint, call, wrong);
        answer ??= new DecisionAnswer(false) { Reason = $"'{Rule["opa ".Length..]}' is undefined for this input: no rule permits it, or there is no such rule" };
        return answer with { CorrelationId = decisionId is { Length: > 0 } ? OuterText.Shown(decisionId, 100) : null };
    }

    private static (string? Id, string? Fault) ReadId(ReadOnlySpan<byte> json) =>
        JsonTexts.ReadOne(json) is { } id ? (id, null) : (null, json.SequenceEqual("null"u8) ? null : "has 'decision_id' that is no string");

    private static (DecisionAnswer? Answer, string? Fault) ReadResult(ReadOnlySpan<byte> json)
    {
        if (JsonBooleans.Read(json) is { } plain)
            return (new DecisionAnswer(plain), null);
        if (json.IsEmpty || json[0] != '{')
            return (null, "has a 'result' that is neither true nor false nor an object");
        bool? allow = null;
        string? reason = null, unknown = null;
        var limits = new DecisionLimits();
        var members = new JsonMembers(json);
        while (members.MoveNext())
        {
            if (members.Name is "allow")
                allow = JsonBooleans.Read(members.Raw());
            else if (members.Name is "reasons")
                reason = DecisionReason.Of(members.Raw());
            else if (!limits.TryTake(ref members))
                unknown ??= members.Name;
        }
        // A clear no stands, whatever else is wrong; a yes only with all that it says.
        string? fault = members.Fault
            ?? (allow is null ? "has no 'allow' that is true or false" : null)
            ?? (allow is false ? null : unknown is null ? limits.Fault : $"has '{OuterText.Shown(unknown, 40)}', which is nothing that is known (name a rule, not a package)");   // a misspelt limit would widen
        return fault is null ? (new DecisionAnswer(allow!.Value) { Reason = reason ?? "", Limits = limits }, null) : (null, $"has a 'result' that {fault}");
    }
}
