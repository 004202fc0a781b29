namespace Nhi.TokenExchange.Soak;

/// <summary>4. At the drain every credential is revoked in the ledger, dead of age by what its answer said, or listed by its job with the instant it dies.</summary>
internal sealed class EveryLeaseEnded() : SoakInvariant(4, "every lease ended or listed")
{
    private static readonly long RoundedTo = TimeSpan.FromSeconds(1).Ticks;
    private static readonly long AskedBefore = TimeSpan.FromSeconds(5).Ticks;
    private static readonly long SlowMachine = TimeSpan.FromSeconds(2).Ticks;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        var asked = new AskingTimes(evidence);
        Dictionary<string, HandOutRecord> handedOut = evidence.HandOuts.DistinctBy(handOut => handOut.Fingerprint).ToDictionary(handOut => handOut.Fingerprint, StringComparer.Ordinal);
        HashSet<string> lost = [.. EveryIssueRecorded.LostOnTheWire(evidence).Concat(EveryIssueRecorded.GivenUp(evidence)).Select(issue => issue.Fingerprint)];
        foreach (Issue issue in evidence.Issues.Where(issue => !lost.Contains(issue.Fingerprint)))
        {
            if (!evidence.Jobs.TryGetValue(issue.Run, out JobRecord? job))
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint}: its job {issue.Run} never ended", issue.IssuedAt, issue.Run);
            else if (FaultOf(evidence, asked, handedOut.GetValueOrDefault(issue.Fingerprint), issue, job) is { } fault)
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} {fault}", job.Completed, issue.Run);
        }
    }

    /// <summary>Credentials whose lives their issuer lengthened once more than their jobs know: the answer came when the job ended, or never.</summary>
    public static IEnumerable<Issue> LostRenewals(Evidence evidence)
    {
        Dictionary<string, int> known = evidence.Told.Where(record => record.Kind == AuditEventKind.Renewed).CountBy(record => record.Fingerprint!).ToDictionary(StringComparer.Ordinal);
        return evidence.Issues.Where(issue => issue.Renewals > known.GetValueOrDefault(issue.Fingerprint));
    }

    /// <summary>The credentials that lived on after their jobs, and are listed.</summary>
    public static int Unrevoked(Evidence evidence) => evidence.Jobs.Values.Sum(job =>
        job.Leases.Count(lease => lease.End is LeaseEnd.CannotBeRevoked or LeaseEnd.Failed && evidence.IssueOf.TryGetValue(lease.Fingerprint, out Issue? issue) && issue.EndsAt > job.Completed));

    private static string? FaultOf(Evidence evidence, AskingTimes asked, HandOutRecord? handOut, Issue issue, JobRecord job)
    {
        LeaseEntry? lease = job.Leases.FirstOrDefault(lease => lease.Fingerprint == issue.Fingerprint);
        if (issue.RevokedAt is { } revoked)
            return lease is null && IsEndedByTheEnd(evidence, asked, handOut, issue, job, revoked) && !WentWithItsLogin(evidence, asked, issue, job, revoked) ? "was revoked at its job's end, and the report does not list it" : null;
        // Vault answers alike for a lease that it ends and for one that had just died.
        if (lease?.End == LeaseEnd.Revoked && !(issue.Target.IsVault && issue.EndsAt <= job.Completed))
            return "is said to be revoked, and is not";
        if (issue.EndsAt <= job.Completed)
            return null;
        if (lease is null or { End: LeaseEnd.AlreadyGone })
        {
            return KnownEndOf(asked, issue) <= job.Completed || (lease is null && handOut is null && WasInTheAir(evidence, job)) ? null
                : lease is null ? "lives on, and its job's report does not list it" : "is said to be gone, and lives on";
        }

        if (lease.End == LeaseEnd.CannotBeRevoked && issue.Target.IsRevocable)
            return "is said not to be revocable, and is";
        if (lease.End == LeaseEnd.Failed && !CouldFail(evidence, job))
            return "could have been revoked, and was not";
        return evidence.At(lease.DiesAt) > issue.EndsAt + RoundedTo && !IsEndUncertain(evidence, asked, issue) ? "is listed with an instant after its end" : null;
    }

    // The report counts the exchanges that had not come back when the job's end could wait no longer; on a machine that runs they have.
    private static bool WasInTheAir(Evidence evidence, JobRecord job) => job.FlightsInTheAir > 0 && evidence.StalledWithin(job.Completing, job.Completed) > SlowMachine;

    // What was handed out before and was nobody's reason to revoke it: not refused by its target, not denied by new rules, not ended because its issuer said no life.
    private static bool IsEndedByTheEnd(Evidence evidence, AskingTimes asked, HandOutRecord? handOut, Issue issue, JobRecord job, long revoked) =>
        revoked >= EndedFrom(evidence, job) && revoked <= job.Completed && handOut is { RejectedAt: null } && handOut.FirstReturn < job.Completing && !IsEndUncertain(evidence, asked, issue)
        && !evidence.Policies.Any(policy => policy.Changed >= issue.IssuedAt && policy.Changing <= revoked);

    // A switch is seen, and a longest duration is over, a moment after it was thrown or has passed. Until then the job goes on, and flights take off, which they do no more when it ends.
    private static long EndedFrom(Evidence evidence, JobRecord job) =>
        Math.Max(job.Completing, evidence.TakeOffs.GetValueOrDefault(job.Run));

    // Vault ends a lease with its login, also with one that dies of age. That is no revocation, and the lease's own end had come before its job's was over: the job knows it as one that died of age.
    private static bool WentWithItsLogin(Evidence evidence, AskingTimes asked, Issue issue, JobRecord job, long revoked) =>
        issue is { Target.Kind: ExchangeKind.VaultSecret, RevocationsAsked: 0 } && KnownEndOf(asked, issue) <= job.Completed
        && evidence.IssueOf.TryGetValue(asked.ProofOf(issue) ?? "", out Issue? login) && login.RevokedAt is null && login.EndsAt <= revoked;

    // Where the clock was wrong when the question was sent, from when lives count; or where Entra did not say how long its token lives: then the longest life there is is told.
    private static bool IsEndUncertain(Evidence evidence, AskingTimes asked, Issue issue) => evidence.Chaos.Any(window =>
        window.At.Ticks <= issue.IssuedAt && window.End.Ticks >= (asked.Of(issue) ?? issue.IssuedAt) - AskedBefore && (window.Fault.Jump != TimeSpan.Zero || window.Fault == ChaosFault.NoLife));

    // What failed while the job ran is tried again at its end.
    private static bool CouldFail(Evidence evidence, JobRecord job) =>
        evidence.Chaos.Any(window => window.Place == ChaosPlace.Revocation && window.At.Ticks <= job.Completed && window.End.Ticks >= job.Completing)
        || evidence.StalledWithin(job.Completing, job.Completed) > SlowMachine;

    // When a credential ends as far as its job can know: an answer says a life in whole seconds, which counts from when it was asked for. The issuer counts from when it issues.
    private static long KnownEndOf(AskingTimes asked, Issue issue) => issue.EndsAt - RoundedTo - (issue.IssuedAt - (asked.Of(issue) ?? issue.IssuedAt));
}
