namespace Nhi.TokenExchange.Soak;

/// <summary>8. The issuers are asked no more often than the lives of their credentials make needful, a quarter as often again, and a bound for each time that something is wrong.</summary>
internal sealed class RequestsBounded() : SoakInvariant(8, "requests at the issuers bounded")
{
    // The refresh is due at half of the life, up to a tenth of that earlier.
    private const double EarliestRefresh = 0.45;

    // Five tries of one call, twice where an answer could not be read, and what is tried again within seconds.
    private const int RequestsPerFault = 12;

    private const int Bound = 20;

    private const double Slack = 1.25;

    private static readonly long OnItsWay = TimeSpan.FromSeconds(1).Ticks;

    private const double MostPeak = 3;

    /// <summary>How many requests the jobs needed: for each credential that somebody asked for, as long as somebody did; and how many more the faults allow that a flight of it met.</summary>
    public static (double Needed, int ForFaults) NeedOf(Evidence evidence)
    {
        ILookup<(string Run, string Target), HandOutRecord> handOuts = evidence.HandOuts.ToLookup(handOut => (handOut.Run, handOut.Target));
        double needed = 0;
        int forFaults = 0;
        foreach (IGrouping<(string Run, string Target), AuditRecord> flights in evidence.Told.Where(record => record.Kind == AuditEventKind.Exchanging).GroupBy(record => (record.Run, record.Target)))
        {
            var target = SoakTarget.Named(flights.Key.Target);
            if (target.IsVault || !evidence.Jobs.TryGetValue(flights.Key.Run, out JobRecord? job))   // Vault's are not counted
                continue;
            int changes = evidence.Policies.Count(policy => policy.Changing <= job.Completed && policy.Changed >= job.Started);
            Chaos[] during = [.. evidence.Chaos.Where(window => window.At.Ticks <= job.Completed && window.End.Ticks >= job.Started)];
            HandOutRecord[] had = [.. handOuts[flights.Key]];
            double asked = had.Length == 0 ? 0 : TimeSpan.FromTicks(had.Max(one => one.LastReturn) - had.Min(one => one.FirstReturn)).TotalSeconds;
            needed += 1 + changes + (2 * during.Count(window => window.Place == ChaosPlace.Clock)) + had.Count(one => one.RejectedAt is not null) + Math.Floor(asked / (EarliestRefresh * LifeOf(evidence, job.Run, target)));
            forFaults += RequestsPerFault * during.Count(window => window.Fault.AtIssuer is not null && window.Place == target.TokenEndpoint && flights.Any(flight => Met(flight, window)));
        }

        return (needed, forFaults);
    }

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        if (RecoveryPeak.Of(evidence) is { Times: > MostPeak } peak)
            yield return Breach(FormattableString.Invariant($"a second was {peak.Times:0.0} times as full as usual after {peak.After}"));
        (double needed, int forFaults) = NeedOf(evidence);
        if (evidence.TokenRequests > (Slack * needed) + forFaults + Bound)
            yield return Breach(FormattableString.Invariant($"{evidence.TokenRequests} requests for tokens; {needed:0} were needed at most, and {forFaults} more allowed for faults"));
        Dictionary<(string, string), int> rejects = evidence.HandOuts.Where(handOut => handOut.RejectedAt is not null).CountBy(handOut => (handOut.Run, handOut.Target)).ToDictionary();
        ILookup<(string Run, string Target), Issue> issues = evidence.Issues.ToLookup(issue => (issue.Run, issue.Target.Name));
        foreach (IGrouping<(string Run, string Target), Issue> ofKey in issues)
        {
            if (evidence.Jobs.TryGetValue(ofKey.Key.Run, out JobRecord? job) && ofKey.Count() > MostFor(evidence, job, SoakTarget.Named(ofKey.Key.Target), rejects.GetValueOrDefault(ofKey.Key)))
                yield return Breach($"{ofKey.Key.Target} of one job was issued {ofKey.Count()} times", ofKey.Max(issue => issue.IssuedAt), ofKey.Key.Run);
        }
    }

    private static double MostFor(Evidence evidence, JobRecord job, SoakTarget target, int rejects)
    {
        double life = LifeOf(evidence, job.Run, target);
        int disturbed = evidence.Chaos.Count(window => window.At.Ticks <= job.Completed && window.End.Ticks >= job.Started);
        return (1.5 * (1 + rejects + (TimeSpan.FromTicks(job.Completed - job.Started).TotalSeconds / (EarliestRefresh * life)))) + (RequestsPerFault * disturbed) + 2;
    }

    private static double LifeOf(Evidence evidence, string run, SoakTarget target)
    {
        double life = JobPlan.UsableLife(evidence.Options, run, target).TotalSeconds;
        // What is got through a hop ends with it, which may be at half of its life.
        return target.Proof == ProofKind.Hop ? Math.Min(life, EarliestRefresh * JobPlan.UsableLife(evidence.Options, run, SoakTarget.Named(target.Through)).TotalSeconds) : life;
    }

    private static bool Met(AuditRecord flight, Chaos window) => flight.At >= window.At.Ticks - OnItsWay && flight.At <= window.End.Ticks + OnItsWay;
}
