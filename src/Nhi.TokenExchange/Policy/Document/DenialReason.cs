using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Why a request is denied: rule, claim, expected, presented. Never a token.</summary>
internal static class DenialReason
{
    private const int MostConditions = 3;
    private const int MostRules = 2;

    public static string Forbidden(PolicyRule forbid, AccessRequest request)
    {
        string[] held = [.. forbid.Conditions.Select(condition => $"{condition.Name} is {condition.Presented(request)}, expected other than {condition.Expected}"),
            .. forbid.Window is { } window ? [$"time is {TimeWindow.Instant(request.At)}, expected other than {window.Expected}"] : Array.Empty<string>()];
        return $"{(held.Length == 0 ? "it forbids everything" : Join(held))}{Said(forbid)}";
    }

    /// <summary>Names the permits that fail by the fewest conditions, and by which.</summary>
    public static string NotPermitted(RuleIndex rules, AccessRequest request)
    {
        // Those first that may be about the target: the others of a document that many jobs share are nobody's business then.
        PolicyRule[] permits = [.. PermitsFor(rules, request)];
        if (permits.Length == 0)
            permits = [.. rules.All.Where(rule => rule.IsPermit)];
        if (permits.Length == 0)
            return "no rule of the policy permits anything";
        // Of as many failures those first that are about the target. Counted before anything is put into words: there may be thousands.
        (bool IsElsewhere, int Failures) least = permits.Min(permit => DistanceOf(permit, request));
        string found = string.Join("; ", permits.Where(permit => DistanceOf(permit, request) == least).Take(MostRules).Select(permit => $"'{permit.Name}': {Join(FailuresOf(permit, request))}{Said(permit)}"));
        return $"no rule permits it; nearest is {found}";
    }

    private static List<PolicyRule> PermitsFor(RuleIndex rules, AccessRequest request)
    {
        var permits = new List<PolicyRule>();
        foreach (PolicyRule rule in rules.For(request.Target))
        {
            if (rule.IsPermit)
                permits.Add(rule);
        }
        return permits;
    }

    public static string NoScopeLeft(ScopeSet? limit, AccessRequest request) =>
        limit is { IsEmpty: false } scopes ? $"scopes expected one of '{scopes}', presented '{request.Scopes}'" : $"scopes '{request.Scopes}' were asked for, and the rules together leave none of any";

    public static string NoResourceLeft(IReadOnlyList<string> limit, AccessRequest request) =>
        $"resources expected {(limit.Count == 0 ? "none, since the rules together leave none" : PolicyText.OneOf(limit))}, presented {(request.Resources.Count == 0 ? "none: the target names no resource and no audience, or its exchange takes none" : PolicyText.OneOf(request.Resources))}";

    /// <param name="limit">What the rules leave together; null for nothing.</param>
    /// <param name="request">What is asked.</param>
    public static string NoDetailLeft(string? limit, AccessRequest request) =>
        $"authorizationDetails expected {(limit is null ? "none, since the rules together leave none" : $"some of {PolicyText.Presented(limit)}")}, presented {(request.AuthorizationDetails is { } details ? PolicyText.Presented(details) : "none: the target asks for none, or its exchange takes none")}";

    private static (bool IsElsewhere, int Failures) DistanceOf(PolicyRule permit, AccessRequest request)
    {
        bool isElsewhere = false;
        int failures = permit.Window is { } window && !window.At(request.At).IsInside ? 1 : 0;
        foreach (PolicyCondition condition in permit.Conditions)
        {
            if (condition.HoldsFor(request))
                continue;
            failures++;
            isElsewhere |= condition.Name == PolicyAttribute.Target;
        }
        return (isElsewhere, failures);
    }

    private static string[] FailuresOf(PolicyRule permit, AccessRequest request)
    {
        IEnumerable<string> failures = permit.Conditions.Where(condition => !condition.HoldsFor(request)).Select(condition => condition.Failure(request));
        return permit.Window is { } window && !window.At(request.At).IsInside
            ? [.. failures, $"time expected {window.Expected}, presented {TimeWindow.Instant(request.At)}"]
            : [.. failures];
    }

    private static string Join(string[] parts) =>
        string.Join("; ", parts.Take(MostConditions)) + (parts.Length > MostConditions ? string.Create(CultureInfo.InvariantCulture, $"; and {parts.Length - MostConditions} more") : "");

    private static string Said(PolicyRule rule) => rule.Reason is { } reason ? $" ({reason.TrimEnd('.')})" : "";
}
