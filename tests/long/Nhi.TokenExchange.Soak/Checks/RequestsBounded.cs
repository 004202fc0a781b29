namespace Nhi.TokenExchange.Soak;

/// <summary>8. The issuers are asked no more often than the lives of their credentials make needful, half as often again, and a bound for each time that something is wrong.</summary>
internal sealed class RequestsBounded() : SoakInvariant(8, "requests at the issuers bounded")
{
    // The refresh is due at half of the life, up to a tenth of that earlier.
    private const double EarliestRefresh = 0.45;

    // Five tries of one call, twice where an answer could not be read, and what is tried again within seconds.
    private const int RequestsPerFault = 12;

    private const int Bound = 20;

    private const double MostPeak = 3;

    /// <summary>How many requests the jobs needed, and how many more the faults allow.</summary>
    public static (double Needed, int ForFaults) NeedOf(Evidence evidence)
    {
        ILookup<(string, string), HandOutRecord> rejected = evidence.HandOuts.Where(handOut => handOut.RejectedAt is not null).ToLookup(handOut => (handOut.Run, handOut.Target));
        double needed = 0;
        int forFaults = 0;
        foreach (JobRecord job in evidence.Jobs.Values)
        {
            int changes = evidence.Policies.Count(policy => policy.Changing <= job.Completed && policy.Changed >= job.Started);
            Chaos[] during = [.. evidence.Chaos.Where(window => window.At.Ticks <= job.Completed && window.End.Ticks >= job.Started)];
            int jumps = during.Count(window => window.Place == ChaosPlace.Clock);
            foreach (SoakTarget target in SoakTarget.All.Where(target => !target.IsVault))   // Vault's are not counted
            {
                double life = JobPlan.UsableLife(evidence.Options, job.Run, target).TotalSeconds;
                if (target.Proof == ProofKind.Hop)   // ends with the hop before, which may be at half of its life
                    life = Math.Min(life, EarliestRefresh * JobPlan.UsableLife(evidence.Options, job.Run, SoakTarget.Named(target.Through)).TotalSeconds);
                needed += 1 + changes + (2 * jumps) + rejected[(job.Run, target.Name)].Count() + Math.Floor(TimeSpan.FromTicks(job.Completed - job.Started).TotalSeconds / (EarliestRefresh * life));
                forFaults += RequestsPerFault * during.Count(window => window.Fault.AtIssuer is not null && window.Place == target.TokenEndpoint);
            }
        }

        return (needed, forFaults);
    }

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        if (RecoveryPeak.Of(evidence) is { Times: > MostPeak } peak)
            yield return Breach(FormattableString.Invariant($"a second was {peak.Times:0.0} times as full as usual after {peak.After}"));
        (double needed, int forFaults) = NeedOf(evidence);
        if (evidence.TokenRequests > (1.5 * needed) + forFaults + Bound)
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
        double life = JobPlan.UsableLife(evidence.Options, job.Run, target).TotalSeconds;
        if (target.Proof == ProofKind.Hop)
            life = Math.Min(life, EarliestRefresh * JobPlan.UsableLife(evidence.Options, job.Run, SoakTarget.Named(target.Through)).TotalSeconds);
        int disturbed = evidence.Chaos.Count(window => window.At.Ticks <= job.Completed && window.End.Ticks >= job.Started);
        return (1.5 * (1 + rejects + (TimeSpan.FromTicks(job.Completed - job.Started).TotalSeconds / (EarliestRefresh * life)))) + (RequestsPerFault * disturbed) + 2;
    }
}
