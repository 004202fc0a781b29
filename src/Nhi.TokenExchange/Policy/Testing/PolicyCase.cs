using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>One request, and the decision that is expected. What is null is not compared.</summary>
/// <param name="Name">The name of the case.</param>
/// <param name="Line">Where it begins.</param>
/// <param name="Request">The request.</param>
/// <param name="HasInstant">Whether the case says when it is asked.</param>
/// <param name="IsPermitted">The expected decision.</param>
/// <param name="Rule">The names of the rules that decide.</param>
/// <param name="Limits">Of a permit.</param>
/// <param name="HoldsUntil">When it is decided anew.</param>
internal sealed record PolicyCase(string Name, int Line, AccessRequest Request, bool HasInstant, bool IsPermitted, string? Rule, ExpectedLimits Limits, DateTimeOffset? HoldsUntil)
{
    public PolicyTestResult RunOn(PolicyDocument policy)
    {
        AccessDecision decided = policy.Evaluate(Request);
        var differences = new List<string>();
        Compare("decision", Word(IsPermitted), Word(decided.IsPermitted));
        Compare("rule", Rule, decided.Rule);
        Compare("longestHandOut", Limits.LongestHandOut?.ToString("c"), decided.MaxLifetime?.ToString("c") ?? "no limit");
        Compare("scopes", Limits.Scopes?.ToString(), (decided.Scopes ?? Request.Scopes).ToString());
        Compare("resources", Listed(Limits.Resources), Listed(Request.Resources.Where(name => decided.Resources is null || decided.Resources.Contains(name, StringComparer.Ordinal)))!);
        string details = Narrowing.DetailsLeft(decided, Request) ?? Request.AuthorizationDetails ?? "none";
        if (!IsSame(Limits.AuthorizationDetails, details))
            Compare("authorizationDetails", Limits.AuthorizationDetails, details);
        Compare("refuseLongerLife", Flag(Limits.RefuseLongerLife), Flag(decided.RefuseLongerLife)!);
        Compare("senderConstrained", Flag(Limits.SenderConstrained), Flag(decided.SenderConstrained)!);
        Compare("holdsUntil", HoldsUntil is { } until ? TimeWindow.Instant(until) : null, decided.HoldsUntil is { } holds ? TimeWindow.Instant(holds) : "the policy changes");
        if (!HasInstant && decided.HoldsUntil is not null)
            differences.Add("the decision depends on the time, and the request has no 'at'");
        if (differences.Count > 0 && !decided.IsPermitted)
            differences.Add($"denied because {decided.Reason}");
        return new PolicyTestResult(Name, Line, differences.Count == 0 ? null : string.Join("; ", differences));

        void Compare(string what, string? expected, string presented)
        {
            if (expected is not null && expected != presented)
                differences.Add($"{what} expected '{expected}', was '{presented}'");
        }
    }

    private static string? Listed(IEnumerable<string>? names) => names is null ? null : string.Join(' ', names.Order(StringComparer.Ordinal));

    // The order of members says nothing.
    private static bool IsSame(string? expected, string details)
    {
        if (expected is null || details[0] != '[')
            return false;
        using JsonDocument left = JsonDocument.Parse(expected), right = JsonDocument.Parse(details);
        return JsonElement.DeepEquals(left.RootElement, right.RootElement);
    }

    private static string Word(bool isPermitted) => isPermitted ? "permit" : "deny";

    private static string? Flag(bool? flag) => flag switch { true => "true", false => "false", _ => null };
}

/// <summary>What is expected that a permit leaves. What is null is not compared.</summary>
/// <param name="LongestHandOut">How long a credential is handed out.</param>
/// <param name="Scopes">What is left to ask for.</param>
/// <param name="Resources">What is left to ask for.</param>
/// <param name="AuthorizationDetails">What is left to ask for: a JSON array.</param>
/// <param name="RefuseLongerLife">Whether a longer life is refused.</param>
/// <param name="SenderConstrained">Whether a bound credential is demanded.</param>
internal sealed record ExpectedLimits(TimeSpan? LongestHandOut, ScopeSet? Scopes, IReadOnlyList<string>? Resources, string? AuthorizationDetails, bool? RefuseLongerLife, bool? SenderConstrained)
{
    public static ExpectedLimits None { get; } = new(null, null, null, null, null, null);
}
