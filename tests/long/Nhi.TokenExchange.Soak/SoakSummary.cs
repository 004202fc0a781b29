using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>The counts of a run. Those of the second half belong at zero.</summary>
internal sealed record SoakSummary
{
    public required int Jobs { get; init; }

    /// <summary>How many jobs each end had.</summary>
    public required IReadOnlyDictionary<JobEnd, int> Ends { get; init; }

    public required long Calls { get; init; }

    public required long HandOuts { get; init; }

    public required long GaveUp { get; init; }

    public required long Failed { get; init; }

    public required long Used { get; init; }

    public required int Issued { get; init; }

    public required int Revoked { get; init; }

    /// <summary>Lived on after their jobs, each listed with the instant it dies: their issuers end nothing, or could not be reached.</summary>
    public required int Unrevoked { get; init; }

    /// <summary>Issued, and the answer lost on the wire by a planned fault.</summary>
    public required int LostAnswers { get; init; }

    /// <summary>Issued, and the answer on its way when the flight was given up, at a deadline or at the job's end.</summary>
    public required int GivenUpAnswers { get; init; }

    /// <summary>Renewed by Vault, and the answer not there when its job, or the end that this knew of, was over: they live on to the renewed end.</summary>
    public required int LostRenewals { get; init; }

    public required int TokenRequests { get; init; }

    public required int TokenRequestsNeeded { get; init; }

    public required double? PeakAfterRecovery { get; init; }

    /// <summary>The fault after which it was.</summary>
    public required string? PeakAfter { get; init; }

    public required int MostFlightsAtOnce { get; init; }

    public required double LongestStallSeconds { get; init; }

    public required double LongestPoolWaitSeconds { get; init; }

    public required double WorkingSetMebibytes { get; init; }

    public required double? WorkingSetSlope { get; init; }

    public required double? ManagedSlope { get; init; }

    public required double ManagedLeft { get; init; }

    public required double WorkingSetLeft { get; init; }

    public required int DeadHandedOut { get; init; }

    public required int Unrecorded { get; init; }

    public required int Leaked { get; init; }

    public required int SecretsSaid { get; init; }

    /// <summary>Events in the trails.</summary>
    public required int Recorded { get; init; }

    public required int TrailFaults { get; init; }

    public required int FailedBesideACredential { get; init; }

    public required int LostWaiters { get; init; }

    public required int Crossed { get; init; }

    public required int EndedTwice { get; init; }

    public required int UnobservedExceptions { get; init; }

    public static SoakSummary Of(Evidence evidence, IReadOnlyList<Breach> breaches) => new()
    {
        Jobs = evidence.Summary.Jobs,
        Ends = Enum.GetValues<JobEnd>().ToDictionary(end => end, end => evidence.Jobs.Values.Count(job => job.End == end)),
        Calls = evidence.Summary.Calls,
        HandOuts = evidence.Summary.HandOuts,
        GaveUp = evidence.Summary.GaveUp,
        Failed = evidence.Summary.Failed,
        Used = evidence.Summary.HttpUses,
        Issued = evidence.Issues.Count,
        Revoked = evidence.Issues.Count(issue => issue.RevokedAt is not null),
        Unrevoked = EveryLeaseEnded.Unrevoked(evidence),
        LostAnswers = EveryIssueRecorded.LostOnTheWire(evidence).Count(),
        GivenUpAnswers = EveryIssueRecorded.GivenUp(evidence).Count(),
        LostRenewals = EveryLeaseEnded.LostRenewals(evidence).Count(issue => issue.RevokedAt is null),
        TokenRequests = evidence.TokenRequests,
        TokenRequestsNeeded = (int)RequestsBounded.NeedOf(evidence).Needed,
        PeakAfterRecovery = RecoveryPeak.Of(evidence)?.Times,
        PeakAfter = RecoveryPeak.Of(evidence)?.After.ToString(),
        MostFlightsAtOnce = evidence.Overlaps.Select(overlap => overlap.AtOnce).DefaultIfEmpty(evidence.Issues.Count > 0 ? 1 : 0).Max(),
        LongestStallSeconds = evidence.Stalls.Select(stall => TimeSpan.FromTicks(stall.To - stall.From).TotalSeconds).DefaultIfEmpty().Max(),
        LongestPoolWaitSeconds = PoolNotStarved.LongestOf(evidence).TotalSeconds,
        WorkingSetMebibytes = evidence.Resources.Max(resource => resource.WorkingSet) / (1024.0 * 1024),
        WorkingSetSlope = ResourcesConstant.SlopeOf(evidence),
        ManagedSlope = ResourcesConstant.ManagedSlopeOf(evidence),
        ManagedLeft = ResourcesConstant.LeftOf(evidence),
        WorkingSetLeft = ResourcesConstant.WorkingSetLeftOf(evidence),
        DeadHandedOut = Of(breaches, 2),
        Unrecorded = Of(breaches, 3),
        Leaked = Of(breaches, 4),
        SecretsSaid = Of(breaches, 5),
        Recorded = evidence.Trail.Events.Count,
        TrailFaults = Of(breaches, 6),
        FailedBesideACredential = Of(breaches, 7),
        LostWaiters = NoWaiterLost.LostOf(evidence).Count(),
        Crossed = Of(breaches, 12),
        EndedTwice = Of(breaches, 13),
        UnobservedExceptions = evidence.Summary.UnobservedExceptions,
    };

    public IEnumerable<(string What, string Count)> Rows()
    {
        yield return ("jobs", Number(Jobs));
        foreach ((JobEnd end, int count) in Ends)
            yield return ($"of them ended: {end}", Number(count));
        yield return ("calls", Number(Calls));
        yield return ("credentials handed out", Number(HandOuts));
        yield return ("calls given up by their callers", Number(GaveUp));
        yield return ("calls failed, with the code of what was wrong", Number(Failed));
        yield return ("requests to the protected API", Number(Used));
        yield return ("issued", Number(Issued));
        yield return ("revoked", Number(Revoked));
        yield return ("unrevoked, each listed with its end", Number(Unrevoked));
        yield return ("events in the trails", Number(Recorded));
        yield return ("answers lost on the wire by plan", Number(LostAnswers));
        yield return ("answers on their way when their flight was given up", Number(GivenUpAnswers));
        yield return ("renewals whose answer came too late", Number(LostRenewals));
        yield return ("requests for tokens (needed at most)", $"{Number(TokenRequests)} ({Number(TokenRequestsNeeded)})");
        if (PeakAfterRecovery is { } peak)
            yield return ("fullest second after a recovery, times the mean and its deviation", string.Create(CultureInfo.InvariantCulture, $"{peak:0.0} (after {PeakAfter})"));
        yield return ("longest stall of the machine, s", LongestStallSeconds.ToString("0.0", CultureInfo.InvariantCulture));
        yield return ("longest wait for the pool beyond that, s", LongestPoolWaitSeconds.ToString("0.0", CultureInfo.InvariantCulture));
        yield return ("largest working set, MiB", WorkingSetMebibytes.ToString("0", CultureInfo.InvariantCulture));
        if (WorkingSetSlope is { } slope)
            yield return ("working set, MiB a minute", slope.ToString("0.00", CultureInfo.InvariantCulture));
        if (ManagedSlope is { } managed)
            yield return ("of it held by the collector, MiB a minute", managed.ToString("0.00", CultureInfo.InvariantCulture));
        yield return ("held by the collector more when all jobs are over than after the first, MiB", ManagedLeft.ToString("0.0", CultureInfo.InvariantCulture));
        yield return ("working set larger when all jobs are over than after the first, MiB", WorkingSetLeft.ToString("0", CultureInfo.InvariantCulture));
        yield return ("**flights per key at once, at most**", Number(MostFlightsAtOnce));
        yield return ("**dead credentials handed out**", Number(DeadHandedOut));
        yield return ("**issues unrecorded or not permitted**", Number(Unrecorded));
        yield return ("**credentials leaked**", Number(Leaked));
        yield return ("**secrets said**", Number(SecretsSaid));
        yield return ("**faults of the trails, and differences from the other sink and the ledger**", Number(TrailFaults));
        yield return ("**failures beside a valid credential, or with a wrong code**", Number(FailedBesideACredential));
        yield return ("**waiters lost**", Number(LostWaiters));
        yield return ("**credentials that crossed jobs**", Number(Crossed));
        yield return ("**credentials ended or listed twice**", Number(EndedTwice));
        yield return ("**exceptions unobserved**", Number(UnobservedExceptions));
    }

    private static int Of(IReadOnlyList<Breach> breaches, int invariant) => breaches.Count(breach => breach.Invariant == invariant);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
