using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>6. The trail of every job is whole to its end, holds what the other sink was told and nothing else, and says of each credential what its issuer's ledger says.</summary>
internal sealed class TrailWhole() : SoakInvariant(6, "the trail whole, and as the ledger has it")
{
    // The plan sets the wall clock of the process by 20 s; lives are told in whole seconds.
    private static readonly long ClockJump = TimeSpan.FromSeconds(21).Ticks;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        AuditTrail trail = evidence.Trail.Verified;
        foreach (AuditFinding fault in trail.Faults)
            yield return Breach($"the trail does not hold: {fault}");
        foreach (AuditChain chain in trail.Chains.Where(chain => chain.Fault is null && (!chain.IsEnded || chain.AnchoredTo != SequenceOf(chain.Anchor))))
            yield return Breach($"the trail is not anchored to its end: {chain}");
        foreach (AuditFinding intent in trail.OpenIntents)
            yield return Breach($"an exchange was begun, and the trail does not say what came of it: {intent}");
        // The first job, which nothing goes wrong with, is one more.
        if (trail.Chains.Count != evidence.Jobs.Count)
            yield return Breach($"{evidence.Jobs.Count} jobs ran, and there are {trail.Chains.Count} trails");
        foreach (Breach breach in OfBothSinks(evidence).Concat(OfLedger(evidence)).Concat(OfGrants(evidence)))
            yield return breach;
    }

    private IEnumerable<Breach> OfBothSinks(Evidence evidence)
    {
        Dictionary<AuditRecord, int> told = evidence.Told.CountBy(record => record with { At = 0 }).ToDictionary();
        foreach (AuditRecord record in evidence.Trail.Events)
        {
            if (told.TryGetValue(record, out int times) && times > 0)
                told[record] = times - 1;
            else
                yield return Breach($"the trail has an event that was told to nobody else: {record}", run: record.Run);
        }

        foreach ((AuditRecord record, _) in told.Where(one => one.Value > 0))
            yield return Breach($"the trail has no event that was told elsewhere: {record}", run: record.Run);
    }

    private IEnumerable<Breach> OfLedger(Evidence evidence)
    {
        ILookup<string, AuditEventKind> kinds = evidence.Trail.Events.Where(record => record.Fingerprint is not null).ToLookup(record => record.Fingerprint!, record => record.Kind);
        foreach (IGrouping<string, AuditEventKind> unknown in kinds.Where(one => !evidence.IssueOf.ContainsKey(one.Key)))
            yield return Breach($"the trail tells of {unknown.Key}, which no issuer made");
        foreach (Issue issue in evidence.Issues.Where(issue => kinds.Contains(issue.Fingerprint)))
        {
            if (issue.RevokedAt is { } revoked && issue.RevocationsAsked > 0 && !kinds[issue.Fingerprint].Any(kind => kind is AuditEventKind.Revoked or AuditEventKind.Orphaned))   // that it may live on, where the answer came too late
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} was revoked, and the trail says {string.Join(", ", kinds[issue.Fingerprint])}", revoked, issue.Run);
            else if (issue.RevokedAt is null && kinds[issue.Fingerprint].Contains(AuditEventKind.Revoked) && !issue.Target.IsVault)
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} was never revoked, and the trail says {string.Join(", ", kinds[issue.Fingerprint])}", issue.IssuedAt, issue.Run);
        }
    }

    // What was granted, and when it dies, of each credential that was issued.
    private IEnumerable<Breach> OfGrants(Evidence evidence)
    {
        foreach (AuditRecord grant in evidence.Trail.Events.Where(record => record.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed))
        {
            if (grant.Fingerprint is null || !evidence.IssueOf.TryGetValue(grant.Fingerprint, out Issue? issue))
                continue;
            if (grant.DiesAt is { } end && evidence.At(end) > issue.EndsAt + ClockJump)
                yield return Breach(string.Create(CultureInfo.InvariantCulture, $"{grant.Target} {grant.Fingerprint} dies {TimeSpan.FromTicks(evidence.At(end) - issue.EndsAt).TotalSeconds:0.0} s before the trail says that it does"), issue.IssuedAt, issue.Run);
            if (grant.Scopes is { } scopes && issue.Target.Kind != ExchangeKind.Entra && !issue.Target.IsVault && scopes != issue.Scope)   // those two name scopes in another way
                yield return Breach($"{grant.Target} {grant.Fingerprint} was granted '{issue.Scope}', and the trail says '{scopes}'", issue.IssuedAt, issue.Run);
        }
    }

    private static long SequenceOf(string anchor) => long.Parse(anchor.Split(':')[1], CultureInfo.InvariantCulture);
}
