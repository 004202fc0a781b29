using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>What happened around an instant, from all that was written down. Fingerprints, never tokens.</summary>
internal static class Timeline
{
    private const int Events = 200;

    /// <returns>The 200 events nearest to the instant, in their order; those of the job alone where one is named.</returns>
    public static IReadOnlyList<string> Around(Evidence evidence, long at, string? run) =>
    [
        .. All(evidence).Where(one => run is null || one.Run is null || one.Run == run)
            .OrderBy(one => Math.Abs(one.At - at)).Take(Events).OrderBy(one => one.At)
            .Select(one => string.Create(CultureInfo.InvariantCulture, $"{TimeSpan.FromTicks(one.At).TotalSeconds,9:0.000} {one.Run} {one.What}")),
    ];

    private static IEnumerable<(long At, string? Run, string What)> All(Evidence evidence)
    {
        foreach (Chaos window in evidence.Chaos)
        {
            yield return (window.At.Ticks, null, $"fault begins: {window.Fault.Id} at {window.Place}");
            yield return (window.End.Ticks, null, $"fault ends: {window.Fault.Id} at {window.Place}");
        }

        foreach (PolicyRecord policy in evidence.Policies)
            yield return (policy.Changed, null, $"policy {policy.Revision} in force");
        foreach (StallRecord stall in evidence.Stalls)
            yield return (stall.To, null, string.Create(CultureInfo.InvariantCulture, $"the machine stood still for {TimeSpan.FromTicks(stall.To - stall.From).TotalSeconds:0.000} s"));
        foreach (PoolWaitRecord wait in evidence.PoolWaits)
            yield return (wait.To, null, string.Create(CultureInfo.InvariantCulture, $"work had waited {TimeSpan.FromTicks(wait.To - wait.From).TotalSeconds:0.000} s for the pool"));
        foreach (Issue issue in evidence.Issues)
        {
            yield return (issue.IssuedAt, issue.Run, $"ledger: issued {issue.Target.Name} {issue.Fingerprint} '{issue.Scope}'{(issue.DeliveredAt is null ? ", not delivered" : "")}");
            if (issue.RevokedAt is { } revoked)
                yield return (revoked, issue.Run, $"ledger: revoked {issue.Target.Name} {issue.Fingerprint}");
            yield return (issue.EndsAt, issue.Run, $"ledger: {issue.Target.Name} {issue.Fingerprint} dies of age");
        }

        foreach (AuditRecord record in evidence.Told)
            yield return (record.At, record.Run, $"audit: {record.Kind} {record.Target} {record.Fingerprint} {record.Code}");
        foreach (HandOutRecord handOut in evidence.HandOuts)
        {
            yield return (handOut.FirstReturn, handOut.Run, $"handed out: {handOut.Target} {handOut.Fingerprint}, first of {handOut.Count}");
            yield return (handOut.LastStart, handOut.Run, $"asked for: {handOut.Target} {handOut.Fingerprint}, last of {handOut.Count}");
        }

        foreach (FailureRecord failure in evidence.Failures)
            yield return (failure.End, failure.Run, $"failed: {failure.Target} {failure.Code}");
        foreach (JobRecord job in evidence.Jobs.Values)
        {
            yield return (job.Started, job.Run, "job started");
            yield return (job.Completing, job.Run, "job ends");
            yield return (job.Completed, job.Run, "job ended");
        }
    }
}
