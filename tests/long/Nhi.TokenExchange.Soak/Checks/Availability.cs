namespace Nhi.TokenExchange.Soak;

/// <summary>7. No call fails while a valid credential is there; what fails otherwise fails with the code of something that was wrong.</summary>
internal sealed class Availability() : SoakInvariant(7, "no failure beside a valid credential, and the right codes")
{
    // The clock of a slot rounds a credential's end down by up to two seconds.
    public static readonly long Rounding = TimeSpan.FromSeconds(2.2).Ticks;

    // A failure is remembered for seconds, and so long takes the last call that met the fault: it has thirty seconds (IssuerBackchannel.CallDeadline), but no fault of the plan lets it need them.
    public static readonly long Memory = TimeSpan.FromSeconds(25).Ticks;

    // A life counts from when it was asked for.
    private static readonly long AskedBefore = TimeSpan.FromSeconds(5).Ticks;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        var slow = new SlowExchanges(evidence);
        ILookup<(string, string), HandOutRecord> handOuts = evidence.HandOuts.ToLookup(handOut => (handOut.Run, handOut.Target));
        foreach (FailureRecord failure in evidence.Failures)
        {
            JobRecord? job = evidence.Jobs.GetValueOrDefault(failure.Run);
            bool ending = job is null || failure.End >= job.Completing;
            IEnumerable<HandOutRecord> ofKey = handOuts[(failure.Run, failure.Target)];
            if (!ending && ofKey.Where(one => one.FirstReturn <= failure.Start).MaxBy(one => one.FirstReturn) is { } held && IsValid(evidence, held, failure))
                yield return Breach($"{failure.Target} failed with {failure.Code} while {held.Fingerprint} was valid", failure.End, failure.Run);
            if (!IsRight(evidence, slow, failure, job, ending))
                yield return Breach($"{failure.Target} failed with {failure.Code}, and nothing was wrong that has this code", failure.End, failure.Run);
        }
    }

    private static bool IsValid(Evidence evidence, HandOutRecord held, FailureRecord failure) =>
        evidence.IssueOf.TryGetValue(held.Fingerprint, out Issue? issue)
        && failure.End < Math.Min(issue.UnusableFrom, evidence.At(held.UnusableFrom)) - Rounding
        && held.RejectedAt is null
        && !evidence.Policies.Any(policy => policy.Changing <= failure.End && policy.Changed >= issue.IssuedAt)
        && !evidence.Chaos.Any(window => window.Place == ChaosPlace.Clock && window.At.Ticks <= failure.End && window.End.Ticks >= issue.IssuedAt - AskedBefore);

    private static bool IsRight(Evidence evidence, SlowExchanges slow, FailureRecord failure, JobRecord? job, bool ending)
    {
        if (failure.Code is "NHI7001" or "NHI7002" or "NHI7003")
            return ending && failure.Code == (job?.Code ?? failure.Code);
        var target = SoakTarget.Named(failure.Target);
        // What a target refused is asked for anew with growing pauses.
        if (failure.Code == "NHI8004")
            return evidence.HandOuts.Any(handOut => handOut.Run == failure.Run && handOut.RejectedAt <= failure.End && (handOut.Target == failure.Target || target.Proof == ProofKind.Hop));
        if (failure.Code == "NHI5003" && slow.Explain(failure.Run, target, failure.Start, failure.End))
            return true;
        return evidence.Chaos.Any(window =>
            window.Fault.Codes.Contains(failure.Code) && target.IsReachedBy(window.Place)
            && window.At.Ticks <= failure.End && failure.Start <= window.End.Ticks + Memory
            && (job is null || job.Started <= window.End.Ticks + Rounding));
    }
}
