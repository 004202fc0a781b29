using System.Collections.Frozen;

namespace Nhi.TokenExchange;

/// <summary>The rules that can be about a target, without looking at the others. In the order of their names, so that the order of a document says nothing.</summary>
internal sealed class RuleIndex
{
    private readonly FrozenDictionary<string, PolicyRule[]> _byTarget;
    private readonly PolicyRule[] _ofOthers;

    public RuleIndex(PolicyRule[] rules)
    {
        All = rules;
        string[] targets = [.. rules.SelectMany(rule => rule.Targets ?? []).Distinct(StringComparer.Ordinal)];
        // Those that name no target once and for all stand in each list.
        _ofOthers = [.. rules.Where(rule => rule.Targets is null)];
        var byTarget = targets.ToDictionary(target => target, _ => new List<PolicyRule>(), StringComparer.Ordinal);
        foreach (PolicyRule rule in rules)
        {
            foreach (List<PolicyRule> list in rule.Targets is { } own ? own.Select(target => byTarget[target]) : byTarget.Values)
                list.Add(rule);
        }
        _byTarget = byTarget.ToFrozenDictionary(entry => entry.Key, entry => entry.Value.ToArray(), StringComparer.Ordinal);
    }

    public PolicyRule[] All { get; }

    public PolicyRule[] For(string target) => _byTarget.TryGetValue(target, out PolicyRule[]? rules) ? rules : _ofOthers;
}
