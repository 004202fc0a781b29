namespace Nhi.TokenExchange;

/// <summary>Looks for rules that compile and are broader, or weaker, than their author may think.</summary>
public static class PolicyLint
{
    /// <summary>Looks at a document.</summary>
    /// <param name="policy">The document.</param>
    /// <param name="at">The instant by which rules are over.</param>
    /// <returns>What was found, in the order of the document; empty if nothing was.</returns>
    public static IReadOnlyList<PolicyFinding> Check(PolicyDocument policy, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(policy);
        var found = new List<PolicyFinding>();
        if (policy.IsObserved)
            found.Add(new PolicyFinding("observes", null, new PolicyPlace(1, 1), "the document only observes: nothing is denied", "Set mode to enforce when the audit shows no denial that you don't want."));
        foreach (PolicyRule rule in policy.Rules)
        {
            found.AddRange(OfAnyRule(rule, policy, at));
            found.AddRange(rule.IsPermit ? PermitLint.Check(rule) : ForbidLint.Check(rule));
        }
        found.AddRange(DatasetLint.Check(policy));
        return [.. found.OrderBy(one => one.Line).ThenBy(one => one.Check, StringComparer.Ordinal)];
    }

    private static IEnumerable<PolicyFinding> OfAnyRule(PolicyRule rule, PolicyDocument policy, DateTimeOffset at)
    {
        if (rule.Window?.NotAfter <= at)
            yield return new PolicyFinding("over", rule, rule.Place, $"is over since {TimeWindow.Instant(rule.Window.NotAfter!.Value)}", "Take it out, or give it a later notAfter.");
        foreach (ValueCondition condition in rule.Conditions.OfType<ValueCondition>())
        {
            string[] texts = [.. TextsOf(condition.Matcher)];
            if (Array.Find(texts, text => text.AsSpan().IndexOfAnyExceptInRange(' ', '~') >= 0) is { } foreign)
                yield return new PolicyFinding("look-alike", rule, condition.Place, $"{condition.Name} has letters beyond ASCII in {PolicyText.OneOf([foreign])}, which may only look like what the proof says", "Compare it letter by letter with the proof.");
            if (Array.Find(texts, LooksLikeAPattern) is { } pattern)
                yield return new PolicyFinding("not-a-pattern", rule, condition.Place, $"{condition.Name} looks like a regular expression, {PolicyText.OneOf([pattern])}, and is compared as it stands", "List the values with anyOf, or write a glob of whole segments.");
        }
        // The limits of all permits that match hold together, so one that is covered still limits; without limits it says nothing.
        PolicyRule? wider = policy.Rules.FirstOrDefault(other => other != rule && other.IsPermit == rule.IsPermit && other.Covers(rule) && (!rule.Covers(other) || string.CompareOrdinal(other.Name, rule.Name) < 0));
        if (wider is not null && rule.Limits == PolicyLimits.None)
            yield return new PolicyFinding("covered", rule, rule.Place, $"changes nothing: '{wider.Name}' matches whatever it matches", "Take one of them out.");
    }

    private static IEnumerable<string> TextsOf(ValueMatcher matcher) => matcher switch
    {
        GlobbedValue glob => [glob.Glob.Pattern],
        NoneOfValues none => none.Excepted,
        _ => matcher.Values ?? [],
    };

    private static bool LooksLikeAPattern(string text) => text[0] == '^' || text[^1] == '$' || text.Contains('|', StringComparison.Ordinal) || text.Contains('\\', StringComparison.Ordinal) || (text.Contains('[', StringComparison.Ordinal) && text.Contains(']', StringComparison.Ordinal));
}
