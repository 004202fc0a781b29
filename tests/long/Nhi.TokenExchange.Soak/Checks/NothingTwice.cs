namespace Nhi.TokenExchange.Soak;

/// <summary>13. No credential ends twice: it is revoked or died once in the audit, and its job's report lists it once, however often it was renewed.</summary>
internal sealed class NothingTwice() : SoakInvariant(13, "nothing ended or listed twice")
{
    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        foreach (IGrouping<string?, AuditRecord> ends in evidence.Audit.Where(record => record.Kind is AuditEventKind.Revoked or AuditEventKind.Expired).GroupBy(record => record.Fingerprint).Where(ends => ends.Count() > 1))
            yield return Breach($"{ends.Key} ended {ends.Count()} times in the audit: {string.Join(", ", ends.Select(end => end.Kind))}", ends.Last().At, ends.Last().Run);
        foreach (JobRecord job in evidence.Jobs.Values)
        {
            foreach (((string target, string fingerprint), int count) in job.Leases.CountBy(lease => (lease.Target, lease.Fingerprint)).Where(lease => lease.Value > 1))
                yield return Breach($"{target} {fingerprint} is listed {count} times in its job's report", job.Completed, job.Run);
        }
    }
}
