using System.Collections.Frozen;

namespace Nhi.TokenExchange;

/// <summary>The rules that can be about a target, without looking at the others.</summary>
internal sealed class RuleIndex
{
    private readonly FrozenDictionary<string, PolicyRule[]> _byTarget;
    private readonly PolicyRule[] _ofAnyTarget;

    /// <param name="rules">In the order of their names.</param>
    public RuleIndex(PolicyRule[] rules)
    {
        All = rules;
        _ofAnyTarget = [.. rules.Where(rule => rule.Targets is null)];
        _byTarget = rules.SelectMany(rule => (rule.Targets ?? []).Select(target => (Target: target, Rule: rule))).GroupBy(entry => entry.Target, entry => entry.Rule, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
    }

    public PolicyRule[] All { get; }

    /// <summary>In the order of their names, so that the order of a document says nothing.</summary>
    public Merged For(string target) => new(_byTarget.TryGetValue(target, out PolicyRule[]? own) ? own : [], _ofAnyTarget);

    /// <summary>Two lists as one, without making it.</summary>
    internal struct Merged(PolicyRule[] left, PolicyRule[] right)
    {
        private int _left;
        private int _right;

        public PolicyRule Current { get; private set; } = null!;

        public readonly Merged GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_left == left.Length && _right == right.Length)
                return false;
            bool isLeft = _right == right.Length || (_left < left.Length && string.CompareOrdinal(left[_left].Name, right[_right].Name) < 0);
            Current = isLeft ? left[_left++] : right[_right++];
            return true;
        }
    }
}
