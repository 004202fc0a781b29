namespace Nhi.TokenExchange;

/// <summary>One identity that is permitted more data sets than <c>maxDatasetsPerIdentity</c>: whoever gets hold of it has them all.</summary>
internal static class DatasetLint
{
    private const string Dataset = "job.dataset";

    public static IEnumerable<PolicyFinding> Check(PolicyDocument policy)
    {
        if (policy.MaxDatasetsPerIdentity is not { } most)
            yield break;
        PolicyRule[] permits = [.. policy.Rules.Where(rule => rule.IsPermit)];
        foreach (PolicyRule permit in permits.Where(permit => DatasetsOf(permit) is null))
            yield return new PolicyFinding("many-datasets", permit, permit.Place, $"does not count the data sets of its identities, which are {most} at most", "Name them: job.dataset as a text, or with anyOf.");
        var named = from permit in permits
                    where DatasetsOf(permit) is not null
                    from subject in SubjectsOf(permit)
                    group permit by subject;
        foreach (IGrouping<string, PolicyRule> identity in named)
        {
            string[] datasets = [.. identity.SelectMany(permit => DatasetsOf(permit)!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
            PolicyRule last = identity.OrderBy(permit => permit.Place.Line).Last();
            if (datasets.Length > most)
                yield return new PolicyFinding("many-datasets", last, last.Place, FormattableString.Invariant($"makes {datasets.Length} data sets for {identity.Key} ({PolicyText.OneOf(datasets)}), which are {most} at most"), "Give each data product an identity of its own.");
        }
    }

    private static IReadOnlyList<string>? DatasetsOf(PolicyRule permit) => permit.Find(Dataset)?.Matcher.Values;

    // An issuer's word counts within that issuer; a pattern of subjects is one identity, as far as anybody can count.
    private static IEnumerable<string> SubjectsOf(PolicyRule permit)
    {
        string issuer = permit.Find(PolicyAttribute.SubjectIssuer)?.Expected is { } signed ? $" of {signed}" : "";
        return permit.Find(PolicyAttribute.Subject)?.Matcher is { } matcher
            ? matcher.Values?.Select(subject => $"subject {PolicyText.OneOf([subject])}{issuer}") ?? [$"subject {matcher.Expected}{issuer}"]
            : [$"every subject{issuer}"];
    }
}
