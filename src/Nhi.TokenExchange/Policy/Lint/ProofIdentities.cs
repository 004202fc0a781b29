namespace Nhi.TokenExchange;

/// <summary>The identities that permits tell apart: each issuer, each subject, what patterns of subjects have in common, and one that nobody names; each with the claims that one permit looks at.</summary>
/// <remarks>Enough to find whoever has the most, but for who is told by claims of different names: a permit that looks at a claim is taken to be another's than one that looks at others alone.</remarks>
internal static class ProofIdentities
{
    // Patterns that meet in many ways are no policy that anybody reads.
    private const int MostPatterns = 1000;
    private const int MostClaims = 1000;

    public static IEnumerable<ProofIdentity> Of(PolicyRule[] permits)
    {
        SaidValue[] issuers = [.. Distinct(Matchers(permits, ProofIdentity.IsIssuer).SelectMany(SaidValue.Of).Append(SaidValue.Other))];
        ValueMatcher[] subjectMatchers = [.. Matchers(permits, ProofIdentity.IsSubject)];
        SaidValue[] subjects = [.. Distinct(subjectMatchers.SelectMany(SaidValue.Of).Concat(Common([.. subjectMatchers.OfType<GlobbedValue>().Select(globbed => globbed.Glob)])).Append(SaidValue.Other))];
        var seen = new HashSet<(string, string, string)>();
        return from permit in permits
               from claims in ClaimsOf(permit)
               let saidClaims = string.Join('\0', claims.OrderBy(claim => claim.Key, StringComparer.Ordinal).Select(claim => $"{claim.Key}\0{claim.Value.Text}"))
               from issuer in issuers
               from subject in subjects
               let identity = new ProofIdentity(issuer, subject, claims)
               where identity.IsTakenBy(permit) && seen.Add((issuer.Text, subject.Text, saidClaims))
               select identity;
    }

    private static IEnumerable<SaidValue> Distinct(IEnumerable<SaidValue> values) => values.DistinctBy(value => value.Text, StringComparer.Ordinal);

    private static IEnumerable<ValueMatcher> Matchers(PolicyRule[] permits, Func<string, bool> isMeant) =>
        permits.SelectMany(permit => permit.Conditions.OfType<ValueCondition>()).Where(condition => isMeant(condition.Name)).Select(condition => condition.Matcher);

    // Each pattern with what was found before, until nothing new comes.
    private static IEnumerable<SaidValue> Common(SegmentGlob[] globs)
    {
        var found = new Dictionary<string, SegmentGlob?>(StringComparer.Ordinal);
        var open = new Queue<SegmentGlob>(globs);
        while (open.TryDequeue(out SegmentGlob? one) && found.Count < MostPatterns)
        {
            foreach (string common in globs.Select(glob => SegmentGlob.CommonOf(one, glob)).OfType<string>())
            {
                SegmentGlob? glob = SegmentGlob.TryParse(common, out _, out _);
                if (found.TryAdd(common, glob) && glob is not null)
                    open.Enqueue(glob);
            }
        }
        return found.Select(common => common.Value is { } glob ? SaidValue.Of(glob) : SaidValue.Of(common.Key));
    }

    // One for each way to meet the permit's other claims.
    private static IEnumerable<Dictionary<string, SaidValue>> ClaimsOf(PolicyRule permit)
    {
        IEnumerable<Dictionary<string, SaidValue>> ways = [new(StringComparer.Ordinal)];
        foreach (ValueCondition claim in permit.Conditions.OfType<ValueCondition>().Where(condition => ProofIdentity.IsLookedAt(condition.Name) && !ProofIdentity.IsIssuer(condition.Name) && !ProofIdentity.IsSubject(condition.Name)))
            ways = ways.SelectMany(way => SaidValue.Of(claim.Matcher).Select(value => new Dictionary<string, SaidValue>(way, StringComparer.Ordinal) { [claim.Name] = value })).Take(MostClaims);
        return ways;
    }
}
