namespace Nhi.TokenExchange.Soak;

/// <summary>3. Every issue was permitted and recorded: the intent before it, the outcome before anybody had it. Nothing wider than asked, and nothing that rules no longer in force had permitted.</summary>
internal sealed class EveryIssueRecorded() : SoakInvariant(3, "every issue recorded and permitted")
{
    private static readonly long Tolerance = TimeSpan.FromMilliseconds(20).Ticks;
    private static readonly long FlightAtMost = TimeSpan.FromSeconds(61).Ticks;

    // What a flight fails with whose answer was on its way when it was given up.
    private static readonly string[] LostCodes = ["NHI4002", "NHI4009", "NHI7001", "NHI7002", "NHI7003"];

    /// <summary>Tokens that an issuer made and whose answer never came whole: they die by themselves.</summary>
    public static IEnumerable<Issue> LostOnTheWire(Evidence evidence)
    {
        HashSet<string> known = [.. evidence.Audit.Where(record => record.Fingerprint is not null).Select(record => record.Fingerprint!)];
        return evidence.Issues.Where(issue => issue.DeliveredAt is null && !known.Contains(issue.Fingerprint));
    }

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        var keys = evidence.Audit.GroupBy(record => (record.Run, record.Target)).ToDictionary(ofKey => ofKey.Key, ofKey => ofKey.ToArray());
        ILookup<string, AuditRecord> byFingerprint = evidence.Audit.Where(record => record.Fingerprint is not null).ToLookup(record => record.Fingerprint!);
        foreach (Issue issue in evidence.Issues)
        {
            AuditRecord[] ofKey = keys.GetValueOrDefault((issue.Run, issue.Target.Name), []);
            if (!ofKey.Any(record => record.Kind == AuditEventKind.Exchanging && record.At <= issue.IssuedAt + Tolerance && record.At > issue.IssuedAt - FlightAtMost))
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} was issued, and no intent was recorded before", issue.IssuedAt, issue.Run);
            if (issue.DeliveredAt is { } delivered && !byFingerprint.Contains(issue.Fingerprint)
                && !ofKey.Any(record => record.Kind == AuditEventKind.Failed && LostCodes.Contains(record.Code) && record.At >= issue.IssuedAt && record.At < delivered + FlightAtMost))
            {
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} was issued and delivered, and the audit does not know it", issue.IssuedAt, issue.Run);
            }
        }

        HashSet<Guid> permitted = [.. evidence.Audit.Where(record => record.Kind == AuditEventKind.Permitted).Select(record => record.Flight)];
        foreach (HandOutRecord handOut in evidence.HandOuts)
        {
            foreach (Breach breach in OfHandOut(evidence, handOut, byFingerprint[handOut.Fingerprint], permitted))
                yield return breach;
        }
    }

    private IEnumerable<Breach> OfHandOut(Evidence evidence, HandOutRecord handOut, IEnumerable<AuditRecord> known, HashSet<Guid> permitted)
    {
        AuditRecord? issued = known.FirstOrDefault(record => record.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed);
        if (issued is null || issued.At > handOut.FirstReturn)
        {
            yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out {(issued is null ? "and its issue never recorded" : "before its issue was recorded")}", handOut.FirstReturn, handOut.Run);
            yield break;
        }

        if (!permitted.Contains(issued.Flight))
            yield return Breach($"{handOut.Target} {handOut.Fingerprint} was issued, and no permit was recorded", issued.At, handOut.Run);
        if (PolicyAfter(evidence, issued.Revision) is { } next && handOut.LastStart > next.Changed)
            yield return Breach($"{handOut.Target} {handOut.Fingerprint}, permitted by {issued.Revision}, was handed out to a call that began after {next.Revision} was in force", handOut.LastStart, handOut.Run);
        if (evidence.IssueOf.TryGetValue(handOut.Fingerprint, out Issue? issue) && issue.Target.Kind != ExchangeKind.Entra && !issue.Target.IsVault && issue.Scope != issue.Target.Scope)
            yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out though its issuer granted '{issue.Scope}'", handOut.FirstReturn, handOut.Run);
    }

    private static PolicyRecord? PolicyAfter(Evidence evidence, string? revision) =>
        revision == "r0" ? evidence.Policies.Count > 0 ? evidence.Policies[0] : null
        : evidence.Policies.SkipWhile(policy => policy.Revision != revision).Skip(1).FirstOrDefault();
}
