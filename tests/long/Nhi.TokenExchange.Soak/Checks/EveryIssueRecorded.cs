namespace Nhi.TokenExchange.Soak;

/// <summary>3. Every issue was permitted and recorded: the intent before it, the outcome before anybody had it. Nothing wider than asked, and nothing that rules no longer in force had permitted.</summary>
internal sealed class EveryIssueRecorded() : SoakInvariant(3, "every issue recorded and permitted")
{
    // The clocks of two processes, and a request that met a fault as it began.
    private static readonly long Tolerance = TimeSpan.FromSeconds(1).Ticks;

    // Rules are looked at before the intent is written.
    private static readonly long BetweenDecisionAndIntent = TimeSpan.FromMilliseconds(500).Ticks;

    /// <summary>Tokens that an issuer made and whose answer a planned fault kept from everybody: they die by themselves.</summary>
    public static IEnumerable<Issue> LostOnTheWire(Evidence evidence) => Unknown(evidence).Where(issue => issue.DeliveredAt is null && MetALoss(evidence, issue));

    /// <summary>Tokens whose answer was on its way when their flight was given up, which the audit tells: they die by themselves.</summary>
    public static IEnumerable<Issue> GivenUp(Evidence evidence)
    {
        var flights = new Flights(evidence);
        return Unknown(evidence).Where(issue => !(issue.DeliveredAt is null && MetALoss(evidence, issue)) && flights.WasGivenUp(issue));
    }

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        var flights = new Flights(evidence);
        ILookup<string, AuditRecord> byFingerprint = evidence.Audit.Where(record => record.Fingerprint is not null).ToLookup(record => record.Fingerprint!);
        foreach (Issue issue in evidence.Issues)
        {
            if (FaultOf(evidence, flights, issue) is { } fault)
                yield return Breach($"{issue.Target.Name} {issue.Fingerprint} was issued{fault}", issue.IssuedAt, issue.Run);
        }

        foreach (AuditRecord intent in evidence.Audit.Where(record => record.Kind == AuditEventKind.Exchanging && SoakPolicy.IsDenied(record.Target)))
        {
            if (DeniedBy(evidence, intent.At) is { } rules)
                yield return Breach($"{intent.Target} was asked for while {rules.Revision} denied it", intent.At, intent.Run);
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

    private static IEnumerable<Issue> Unknown(Evidence evidence)
    {
        HashSet<string> known = [.. evidence.Told.Where(record => record.Fingerprint is not null).Select(record => record.Fingerprint!)];
        return evidence.Issues.Where(issue => !known.Contains(issue.Fingerprint));
    }

    private static string? FaultOf(Evidence evidence, Flights flights, Issue issue)
    {
        if (flights.Of(issue) is { } own)
            return Flights.HadSaidSo(own, issue) ? null : ", and its flight had recorded no intent before";
        if (!flights.InTheAir(issue).Any())
            return ", and no flight was in the air that had recorded its intent";
        if (flights.WasGivenUp(issue) || CouldNotBeRecorded(evidence, issue))
            return null;
        return issue.DeliveredAt is not null ? " and delivered, and the audit does not know it"
            : MetALoss(evidence, issue) ? null : ", its caller hung up, and the audit tells of no flight that was given up";
    }

    private static bool MetALoss(Evidence evidence, Issue issue) => evidence.Chaos.Any(window =>
        window.Fault.LosesAnswers && window.Place == issue.Target.TokenEndpoint && window.At.Ticks <= issue.IssuedAt + Tolerance && window.End.Ticks >= issue.IssuedAt - Tolerance);

    // What the audit would not take was ended instead of handed out: that is for the fourth invariant to see.
    private static bool CouldNotBeRecorded(Evidence evidence, Issue issue) => evidence.Chaos.Any(window =>
        window.Place == ChaosPlace.Audit && window.At.Ticks <= (issue.DeliveredAt ?? issue.IssuedAt) + Tolerance && window.End.Ticks >= issue.IssuedAt - Tolerance);

    private static PolicyRecord? DeniedBy(Evidence evidence, long at) => evidence.Policies
        .LastOrDefault(policy => policy.Changing <= at) is { IsDenying: true } rules && rules.Changed + BetweenDecisionAndIntent < at ? rules : null;

    private static PolicyRecord? PolicyAfter(Evidence evidence, string? revision) =>
        revision == "r0" ? evidence.Policies.Count > 0 ? evidence.Policies[0] : null
        : evidence.Policies.SkipWhile(policy => policy.Revision != revision).Skip(1).FirstOrDefault();
}
