using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What one rule of one revision of the policy decided.</summary>
public sealed class RuleUse
{
    internal RuleUse(string rule, string? policyRevision)
    {
        Rule = rule;
        PolicyRevision = policyRevision;
    }

    /// <summary>The rule's name.</summary>
    public string Rule { get; }

    /// <summary>The revision, with the digest of a document.</summary>
    public string? PolicyRevision { get; }

    /// <summary>How often it permitted.</summary>
    public long Permits { get; private set; }

    /// <summary>How often it denied.</summary>
    public long Denials { get; private set; }

    /// <summary>How often it only would have decided, because the policy just observed.</summary>
    public long Observed { get; private set; }

    /// <summary>How many credentials came of its permits, and of what it observed.</summary>
    public long Grants { get; internal set; }

    /// <summary>One line for people.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{AuditText.Shown(Rule)} of {AuditText.Shown(PolicyRevision ?? "unknown")}: {Permits} permits, {Denials} denials, {Observed} observed, {Grants} grants");

    internal void Add(AuditEvent decision)
    {
        if (decision.IsObserved)
            Observed++;
        else if (decision.Kind == AuditEventKind.Permitted)
            Permits++;
        else
            Denials++;
    }
}
