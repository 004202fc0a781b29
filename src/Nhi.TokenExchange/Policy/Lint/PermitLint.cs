namespace Nhi.TokenExchange;

/// <summary>Permits that let in more than they name.</summary>
internal static class PermitLint
{
    private const string PullRequest = "pull_request";

    public static IEnumerable<PolicyFinding> Check(PolicyRule rule)
    {
        foreach (ExposureCondition exposed in rule.Conditions.OfType<ExposureCondition>().Where(condition => condition.IsYes))
            yield return new PolicyFinding("exposed", rule, exposed.Place, $"permits what is exposed, and not what is safe: {exposed.Name} is true", "Say false; where it has to be permitted, leave the condition out, so that the safe is permitted too.");
        if (rule.Conditions.OfType<StaticKeyCondition>().Any() && rule.Window?.NotAfter is null)
            yield return new PolicyFinding("static-key", rule, rule.Place, "permits a static key, for as long as its target says", "Add time.notAfter, so that its end is decided here, too.");
        if (rule.Conditions.All(condition => condition is IssuedCondition))
            yield return new PolicyFinding("everybody", rule, rule.Place, "permits whatever is declared, to everybody", "Name target and subject, if only by a glob.");
        if (Identification.FindingOf(rule) is { } broad)
            yield return broad;
        if (rule.Limits.SenderConstrained)
            yield return new PolicyFinding("sender-constrained", rule, rule.Place, "permits nothing yet: no exchanger gives a credential that is bound to a key of the process", "Take limits.senderConstrained out, or leave the rule as a deny.");
        ValueCondition? subject = rule.Find(PolicyAttribute.Subject) ?? rule.Find("claims.sub");
        ValueCondition[] claims = [.. rule.Conditions.OfType<ValueCondition>().Where(condition => condition.Name.StartsWith("claims.", StringComparison.Ordinal))];
        if ((subject is not null || claims.Length > 0) && rule.Find(PolicyAttribute.SubjectIssuer) is null && rule.Find("claims.iss") is null)
            yield return new PolicyFinding("missing-issuer", rule, (subject ?? claims[0]).Place, "names what a proof says and not who signed it: any issuer may say the same", "Add issuer.");
        if (claims.Length > 0 && rule.Find("claims.aud") is null)
            yield return new PolicyFinding("missing-audience", rule, claims[0].Place, "looks at claims and not at aud: a proof that was made for somebody else has the same ones", "Add claims.aud, as the target's SubjectAudience.");
        if (subject is { Matcher: GlobbedValue { Glob: var glob } })
            yield return new PolicyFinding("wildcard-subject", rule, subject.Place, $"takes every subject of '{glob.Pattern}', those that are made tomorrow too", glob.EndsOpen ? "Name the segments; * is exactly one of them." : "Name the subject, or list the subjects with anyOf.");
        if (subject is not null && ComesOfPullRequests(subject.Matcher))
            yield return PullRequests(rule, subject);
        if (rule.Find("claims.event_name") is { } trigger && (trigger.Matcher.Matches(PullRequest) || trigger.Matcher.Matches("pull_request_target")))
            yield return PullRequests(rule, trigger);
        foreach (ValueCondition condition in rule.Conditions.OfType<ValueCondition>().Where(condition => condition != subject && condition.Matcher is GlobbedValue { Glob.EndsOpen: true }))
            yield return new PolicyFinding("name-prefix", rule, condition.Place, $"takes every {condition.Name} that begins as {condition.Expected}: who may choose a name gets in", "List the names with anyOf, or write * for the segments that may differ.");
    }

    // A glob that ends in a wildcard may end in it, too.
    private static bool ComesOfPullRequests(ValueMatcher matcher) => matcher switch
    {
        GlobbedValue { Glob: var glob } => glob.Matches(glob.Example(PullRequest)) && EndsInPullRequest(glob.Example(PullRequest)) && glob.Pattern.StartsWith("repo:", StringComparison.Ordinal),
        _ => matcher.Values?.Any(EndsInPullRequest) ?? false,
    };

    private static bool EndsInPullRequest(string subject) => subject.EndsWith($":{PullRequest}", StringComparison.Ordinal);

    private static PolicyFinding PullRequests(PolicyRule rule, ValueCondition condition) =>
        new("pull-request", rule, condition.Place, $"permits runs of pull requests by {condition.Name}: who may open one runs code of his own with it", "Name a branch or an environment that is protected, such as :ref:refs/heads/main.");
}
