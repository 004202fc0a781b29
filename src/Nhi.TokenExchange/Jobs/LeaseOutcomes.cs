using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>How the credentials of a job ended, for its report. A host may run for months: of what ended before the job did, the last are kept, those that could not be ended for longer; the others are counted.</summary>
internal sealed class LeaseOutcomes
{
    // The audit has them all.
    private const int MostBefore = 1_000;
    private const int MostFailedBefore = 10_000;

    private readonly BoundedLog<LeaseOutcome> _before = new(MostBefore);
    private readonly BoundedLog<LeaseOutcome> _failedBefore = new(MostFailedBefore);
    private readonly ConcurrentQueue<LeaseOutcome> _atTheEnd = new();

    /// <summary>A credential ended while the job ran, or could not be.</summary>
    public void AddBefore(LeaseOutcome outcome) => (outcome.End == LeaseEnd.Failed ? _failedBefore : _before).Add(outcome);

    /// <summary>What the job's end found.</summary>
    public void AddAtTheEnd(LeaseOutcome outcome) => _atTheEnd.Enqueue(outcome);

    /// <summary>How many of a target could not be ended while the job ran, and were given up.</summary>
    public int FailedBefore(string target) => _failedBefore.Kept.Count(outcome => outcome.Target == target);

    public JobReport Report(JobContext job, int flightsInTheAir) => new(
        job, [.. _before.Kept.Concat(_failedBefore.Kept).Concat(_atTheEnd).OrderBy(outcome => outcome.Target, StringComparer.Ordinal).ThenBy(outcome => outcome.DiesAt)],
        flightsInTheAir, _before.Dropped, _failedBefore.Dropped);
}
