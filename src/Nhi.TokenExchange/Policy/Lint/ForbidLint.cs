namespace Nhi.TokenExchange;

/// <summary>Forbids that are passed by who says nothing.</summary>
internal static class ForbidLint
{
    // Of every request.
    private static readonly string[] AlwaysThere = [PolicyAttribute.Target, "targetIssuer"];

    public static IEnumerable<PolicyFinding> Check(PolicyRule rule)
    {
        foreach (ExposureCondition safe in rule.Conditions.OfType<ExposureCondition>().Where(condition => !condition.IsYes))
            yield return new PolicyFinding("exposed", rule, safe.Place, $"forbids what is safe, and not what is exposed: {safe.Name} is false", "Say true.");
        foreach (ValueCondition condition in rule.Conditions.OfType<ValueCondition>().Where(condition => !condition.Matcher.TakesAbsence && !AlwaysThere.Contains(condition.Name)))
        {
            yield return new PolicyFinding("absent-value", rule, condition.Place, $"forbids nothing where {condition.Name} is absent: a set or a value matches what is there alone", "Say noneOf with the values that may be; or forbid { \"present\": false } by a rule beside it.");
        }
        if (rule.Conditions.OfType<ScopeCondition>().FirstOrDefault(condition => condition.Operator != ScopeOperator.Beyond) is { } scopes)
            yield return new PolicyFinding("absent-value", rule, rule.Place, $"forbids nothing where no scope is asked for, and the issuer chooses: expected {scopes.Expected}", "Say beyond with the scopes that may be asked for.");
    }
}
