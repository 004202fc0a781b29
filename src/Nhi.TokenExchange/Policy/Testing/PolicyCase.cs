namespace Nhi.TokenExchange;

/// <summary>One request, and the decision that is expected. What is null is not compared.</summary>
/// <param name="Name">The name of the case.</param>
/// <param name="Line">Where it begins.</param>
/// <param name="Request">The request.</param>
/// <param name="HasInstant">Whether the case says when it is asked.</param>
/// <param name="IsPermitted">The expected decision.</param>
/// <param name="Rule">The names of the rules that decide.</param>
/// <param name="LongestHandOut">Of a permit.</param>
/// <param name="Scopes">Of a permit: what is left to ask for.</param>
/// <param name="RefuseLongerLife">Of a permit.</param>
/// <param name="SenderConstrained">Of a permit.</param>
/// <param name="HoldsUntil">When it is decided anew.</param>
internal sealed record PolicyCase(
    string Name, int Line, AccessRequest Request, bool HasInstant, bool IsPermitted, string? Rule,
    TimeSpan? LongestHandOut, ScopeSet? Scopes, bool? RefuseLongerLife, bool? SenderConstrained, DateTimeOffset? HoldsUntil)
{
    public PolicyTestResult RunOn(PolicyDocument policy)
    {
        AccessDecision decided = policy.Evaluate(Request);
        var differences = new List<string>();
        Compare("decision", Word(IsPermitted), Word(decided.IsPermitted));
        Compare("rule", Rule, decided.Rule);
        Compare("longestHandOut", LongestHandOut?.ToString("c"), decided.MaxLifetime?.ToString("c") ?? "no limit");
        Compare("scopes", Scopes?.ToString(), (decided.Scopes ?? Request.Scopes).ToString());
        Compare("refuseLongerLife", Flag(RefuseLongerLife), Flag(decided.RefuseLongerLife)!);
        Compare("senderConstrained", Flag(SenderConstrained), Flag(decided.SenderConstrained)!);
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

    private static string Word(bool isPermitted) => isPermitted ? "permit" : "deny";

    private static string? Flag(bool? flag) => flag switch { true => "true", false => "false", _ => null };
}
