namespace Nhi.TokenExchange.Soak;

/// <summary>12. No credential crosses jobs: who was handed it, whose report and whose audit tell of it, is the job that its issuer made it for.</summary>
internal sealed class NothingCrossed() : SoakInvariant(12, "no credential crossed jobs")
{
    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        IEnumerable<(string Who, string Fingerprint, string Run, string Target, long At)> told =
        [
            .. evidence.HandOuts.Select(one => ("was handed to", one.Fingerprint, one.Run, one.Target, one.FirstReturn)),
            .. evidence.Jobs.Values.SelectMany(job => job.Leases.Select(lease => ("is in the report of", lease.Fingerprint, job.Run, lease.Target, job.Completed))),
            .. evidence.Told.Where(record => record.Fingerprint is not null).Select(record => ("is in the audit of", record.Fingerprint!, record.Run, record.Target, record.At)),
        ];
        foreach ((string who, string fingerprint, string run, string target, long at) in told)
        {
            if (evidence.IssueOf.TryGetValue(fingerprint, out Issue? issue) && (issue.Run != run || issue.Target.Name != target))
                yield return Breach($"{fingerprint}, issued for {issue.Target.Name} of {issue.Run}, {who} {target} of {run}", at, run);
        }
    }
}
