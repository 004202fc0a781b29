namespace Nhi.TokenExchange;

/// <summary>One identity that is permitted more data sets than <c>maxDatasetsPerIdentity</c>: whoever gets hold of it has them all.</summary>
internal static class DatasetLint
{
    private const string Dataset = "job.dataset";

    public static IEnumerable<PolicyFinding> Check(PolicyDocument policy)
    {
        if (policy.MaxDatasetsPerIdentity is not { } most)
            yield break;
        ILookup<bool, PolicyRule> permits = policy.Rules.Where(rule => rule.IsPermit).ToLookup(permit => DatasetsOf(permit) is not null);
        foreach (PolicyRule permit in permits[false])
            yield return new PolicyFinding("many-datasets", permit, permit.Place, $"does not count the data sets of its identities, which are {most} at most", "Name them: job.dataset as a text, or with anyOf.");
        PolicyRule[] counted = [.. permits[true]];
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (ProofIdentity identity in ProofIdentities.Of(counted))
        {
            PolicyRule[] own = [.. counted.Where(identity.IsTakenBy).OrderBy(permit => permit.Place.Line)];
            string[] datasets = [.. own.SelectMany(permit => DatasetsOf(permit)!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            if (datasets.Length > most && told.Add(own[^1].Name))   // once where it is made
                yield return new PolicyFinding("many-datasets", own[^1], own[^1].Place, FormattableString.Invariant($"makes {datasets.Length} data sets for {identity} ({PolicyText.OneOf(datasets)}), which are {most} at most"), "Give each data product an identity of its own.");
        }
    }

    private static IReadOnlyList<string>? DatasetsOf(PolicyRule permit) => permit.Find(Dataset)?.Matcher.Values;
}
