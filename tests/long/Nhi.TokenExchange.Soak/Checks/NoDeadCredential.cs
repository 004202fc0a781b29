namespace Nhi.TokenExchange.Soak;

/// <summary>2. No credential is handed out that its issuer would call dead, nor within the margin before that, nor after it was revoked or its job ended.</summary>
/// <remarks>What counts is when a call began: a thread may be preempted between the last look at the clock and the return, for as long as the machine likes.</remarks>
internal sealed class NoDeadCredential() : SoakInvariant(2, "no dead credential handed out")
{
    // Two processes read one clock, but not in one instant.
    private static readonly long Tolerance = TimeSpan.FromMilliseconds(20).Ticks;

    public override IEnumerable<Breach> Check(Evidence evidence)
    {
        foreach (HandOutRecord handOut in evidence.HandOuts)
        {
            if (!evidence.IssueOf.TryGetValue(handOut.Fingerprint, out Issue? issue))
            {
                yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out, and no issuer knows it", handOut.FirstReturn, handOut.Run);
                continue;
            }

            if (handOut.LastStart > issue.UnusableFrom + Tolerance + Stood(evidence, issue, handOut.LastStart))
                yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out to a call that began {Seconds(handOut.LastStart - issue.UnusableFrom)} s after it was unusable", handOut.LastStart, handOut.Run);
            if (handOut.LastReturn > issue.EndsAt + Tolerance + evidence.StalledWithin(handOut.StartOfLastReturn, handOut.LastReturn))
                yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out {Seconds(handOut.LastReturn - issue.EndsAt)} s after it was dead", handOut.LastReturn, handOut.Run);
            if (issue.RevokedAt is { } revoked && handOut.LastStart > revoked + Tolerance)
                yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out to a call that began {Seconds(handOut.LastStart - revoked)} s after it was revoked", handOut.LastStart, handOut.Run);
            if (evidence.Jobs.TryGetValue(handOut.Run, out JobRecord? job) && handOut.LastStart > job.Completed)
                yield return Breach($"{handOut.Target} {handOut.Fingerprint} was handed out to a call that began after its job had ended", handOut.LastStart, handOut.Run);
        }

        foreach (Breach breach in OfUses(evidence))
            yield return breach;
    }

    // The issuers' own word on what a handler sent to the API. It may have been revoked while the call was on its way.
    private IEnumerable<Breach> OfUses(Evidence evidence) =>
        from use in evidence.Uses
        where use.Verdict != UseVerdict.Accepted
        let at = evidence.At(use.At)
        where use.Verdict != UseVerdict.Revoked || !WasOnItsWay(evidence, use, at)
        where use.Verdict is not (UseVerdict.Expired or UseVerdict.LastSeconds) || evidence.StalledWithin(at - SoakTarget.Margin.Ticks, at) == 0
        select Breach($"the API got {use.Fingerprint ?? "no token"} and said {use.Verdict}", at);

    private static bool WasOnItsWay(Evidence evidence, LedgerUse use, long at) =>
        use.Fingerprint is { } fingerprint && evidence.IssueOf.TryGetValue(fingerprint, out Issue? issue) && issue.RevokedAt is { } revoked
        && evidence.UseCalls[(issue.Run, issue.Target.Name)].Any(call => call.Start <= revoked + Tolerance && call.End >= at - Tolerance);

    // While the wall clock is back, only the monotonic one counts, and that stood still during a suspend before. A clock that stands still while calls begin, because the process was stopped late, is none that a machine has.
    private static long Stood(Evidence evidence, Issue issue, long lastStart)
    {
        if (evidence.Chaos.Where(window => window.Fault == ChaosFault.Suspend).Select(JumpingTime.Asleep).FirstOrDefault(asleep => asleep.At.Ticks <= lastStart && lastStart <= asleep.End.Ticks) is { } late)
            return lastStart - late.At.Ticks;
        Chaos[] stood = [.. evidence.Chaos.Where(window => window.Fault == ChaosFault.Suspend && window.At.Ticks < issue.EndsAt && window.End.Ticks > issue.IssuedAt)];
        return stood.Where(suspend => evidence.Chaos.Any(window => window.Fault.Jump < TimeSpan.Zero && window.At.Ticks <= lastStart && window.End.Ticks >= suspend.At.Ticks)).Sum(suspend => (suspend.End - suspend.At).Ticks);
    }

    private static string Seconds(long ticks) => FormattableString.Invariant($"{TimeSpan.FromTicks(ticks).TotalSeconds:0.000}");
}
