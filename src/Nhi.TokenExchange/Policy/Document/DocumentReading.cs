using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Reads a whole document, and refuses one that contradicts itself.</summary>
internal sealed class DocumentReading(PolicyErrors errors)
{
    public const int MaxBytes = 1 << 20;

    // More are no policy that anybody reads; and each permit is compared with each forbid.
    private const int MostRules = 5000;
    private const int Version = 1;

    /// <summary>What stands beside the rules.</summary>
    public long Revision { get; private set; }

    public bool IsObserved { get; private set; }

    public int? MaxDatasetsPerIdentity { get; private set; }

    /// <summary>Reads it; what is wrong is noted.</summary>
    /// <returns>The rules, by name.</returns>
    public PolicyRule[] Read(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxBytes)
        {
            errors.Add(new PolicyPlace(1, 1), "", string.Create(CultureInfo.InvariantCulture, $"has {utf8.Length} bytes, more than {MaxBytes}"), "Share what is common between rules, or give each job its own document.");
            return [];
        }
        if (PolicyJson.Read(utf8, errors) is not { } root || PolicyObject.Of(root, errors, "Write a document: { \"version\": 1, \"revision\": 1, \"rules\": [ … ] }.") is not { } document)
            return [];
        document.Find("$schema");
        if (document.Require("version", "Write \"version\": 1.") is not null)
            document.Number("version", Version, Version);
        if (document.Require("revision", "Write a whole number, and a greater one at each change.") is not null)
            Revision = document.Number("revision", 1, long.MaxValue) ?? 0;
        if (document.Find("mode") is { } mode && document.TextOf(mode, "Write enforce or observe.") is { } word)
        {
            IsObserved = word == "observe";
            if (word is not ("enforce" or "observe"))
                errors.Add(mode, "is none of the two words", "Write enforce or observe, in these letters.");
        }
        MaxDatasetsPerIdentity = (int?)document.Number("maxDatasetsPerIdentity", 1, 1000);
        PolicyRule[] rules = Rules(document);
        document.Close();
        return rules;
    }

    private PolicyRule[] Rules(PolicyObject document)
    {
        const string Form = "Write a list of rules; an empty one denies everything.";
        if (document.Require("rules", Form) is not { } list)
            return [];
        if (list.Kind != PolicyNodeKind.List)
            errors.Add(list, $"is {list.Described}", Form);
        else if (list.Members.Count > MostRules)
            errors.Add(list, string.Create(CultureInfo.InvariantCulture, $"has {list.Members.Count} rules, more than {MostRules}"), "Use anyOf for rules that differ in one value, or give each job its own document.");
        else
        {
            var reading = new RuleReading(errors);
            PolicyRule[] rules = [.. list.Members.Select(rule => reading.Read(rule.Value)).OfType<PolicyRule>().OrderBy(rule => rule.Name, StringComparer.Ordinal)];
            RefuseContradictions(rules);
            return rules;
        }
        return [];
    }

    private void RefuseContradictions(PolicyRule[] rules)
    {
        foreach (PolicyRule[] same in rules.GroupBy(rule => rule.Name, StringComparer.Ordinal).Select(group => group.ToArray()).Where(group => group.Length > 1))
        {
            foreach (PolicyRule again in same.Skip(1))
                errors.Add(again.Place, $"rule '{again.Name}'", string.Create(CultureInfo.InvariantCulture, $"has the name of the rule in line {same[0].Place.Line}"), "Give each rule a name of its own.");
        }
        PolicyRule[] forbids = [.. rules.Where(rule => !rule.IsPermit)];
        foreach (PolicyRule permit in rules.Where(rule => rule.IsPermit))
        {
            if (Array.Find(forbids, forbid => forbid.Covers(permit)) is { } stronger)
                errors.Add(permit.Place, $"rule '{permit.Name}'", string.Create(CultureInfo.InvariantCulture, $"permits nothing: the forbid '{stronger.Name}' in line {stronger.Place.Line} matches whatever it matches"), "Take the permit out, or narrow the forbid.");
        }
        RefuseNothingLeft([.. rules.Where(rule => rule.Limits is not { Scopes: null, Resources: null, AuthorizationDetails: null })]);
    }

    // All permits that match limit together.
    private void RefuseNothingLeft(PolicyRule[] narrowing)
    {
        foreach (PolicyRule permit in narrowing)
        {
            if (Array.Find(narrowing, other => other != permit && Contradictions.NothingLeftOf(permit.Limits, other.Limits) is not null && other.Covers(permit)) is not { } wider)
                continue;
            errors.Add(
                permit.Place, $"rule '{permit.Name}'",
                string.Create(CultureInfo.InvariantCulture, $"permits nothing: of the {Contradictions.NothingLeftOf(permit.Limits, wider.Limits)} that it leaves the permit '{wider.Name}' in line {wider.Place.Line} leaves none, and matches whatever it matches"),
                "Take one of them out, put what both mean into one, or let them match different requests.");
        }
    }
}
