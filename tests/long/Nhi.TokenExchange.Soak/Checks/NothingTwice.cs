using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Soak;

/// <summary>13. No credential ends twice: it is revoked or died once in the audit, and its job's report lists it once, however often it was renewed. What the audit did not take in time is told again, which the log says.</summary>
internal sealed partial class NothingTwice() : SoakInvariant(13, "nothing ended or listed twice")
{
    private static readonly EqualityComparer<AuditRecord> SameEnd = EqualityComparer<AuditRecord>.Create((left, right) => left! with { At = 0 } == right! with { At = 0 }, record => (record with { At = 0 }).GetHashCode());

    /// <summary>The ends of which a log says that they were not taken in time, and how often.</summary>
    public static IReadOnlyDictionary<string, int> NotTakenInTime(string log) =>
        File.ReadLines(log).Select(line => NotTaken().Match(line)).Where(match => match.Success).CountBy(match => match.Groups[1].Value).ToDictionary(StringComparer.Ordinal);

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        foreach (IGrouping<string?, AuditRecord> ends in evidence.Audit
            .Where(record => record.Kind is AuditEventKind.Revoked or AuditEventKind.Expired).GroupBy(record => record.Fingerprint)
            .Where(ends => ends.Count() > 1 && !(ends.Distinct(SameEnd).Count() == 1 && ends.Count() <= 1 + evidence.NotTakenInTime.GetValueOrDefault(NameOf(ends.First())))))
            yield return Breach($"{ends.Key} ended {ends.Count()} times in the audit: {string.Join(", ", ends.Select(end => end.Kind))}", ends.Last().At, ends.Last().Run);
        foreach (JobRecord job in evidence.Jobs.Values)
        {
            foreach (((string target, string fingerprint), int count) in job.Leases.CountBy(lease => (lease.Target, lease.Fingerprint)).Where(lease => lease.Value > 1))
                yield return Breach($"{target} {fingerprint} is listed {count} times in its job's report", job.Completed, job.Run);
        }
    }

    private static string NameOf(AuditRecord end) => $"{end.Kind} of {end.Target} (flight {end.Flight})";

    [GeneratedRegex(@"The audit could not record ((?:Revoked|Expired) of \S+ \(flight [0-9a-f-]{36}\)): TimeoutException")]
    private static partial Regex NotTaken();
}
