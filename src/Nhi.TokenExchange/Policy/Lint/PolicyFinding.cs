namespace Nhi.TokenExchange;

/// <summary>Something in a policy that permits more, or forbids less, than it seems to.</summary>
public sealed class PolicyFinding
{
    internal PolicyFinding(string check, PolicyRule? rule, PolicyPlace place, string what, string remedy)
    {
        Check = check;
        Rule = rule?.Name;
        Line = place.Line;
        What = what;
        Remedy = remedy;
    }

    /// <summary>What was looked for, one word for each kind: <c>wildcard-subject</c>, <c>missing-issuer</c>, <c>missing-audience</c>, <c>pull-request</c>, <c>name-prefix</c>, <c>absent-value</c>, <c>many-datasets</c>, <c>exposed</c>, <c>everybody</c>, <c>look-alike</c>, <c>not-a-pattern</c>, <c>covered</c>, <c>over</c>, <c>observes</c>, <c>static-key</c>, <c>no-subject</c>, <c>only-asserted</c>, <c>sender-constrained</c>.</summary>
    public string Check { get; }

    /// <summary>The rule; null for the document as a whole.</summary>
    public string? Rule { get; }

    /// <summary>The line where it begins, from 1.</summary>
    public int Line { get; }

    /// <summary>What was found, without a full stop.</summary>
    public string What { get; }

    /// <summary>What to do: a sentence.</summary>
    public string Remedy { get; }

    /// <summary>All of it in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"line {Line}{(Rule is null ? "" : $", rule '{Rule}'")}: {What}. {Remedy} [{Check}]");
}
