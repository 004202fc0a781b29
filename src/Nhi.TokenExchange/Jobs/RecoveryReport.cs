namespace Nhi.TokenExchange;

/// <summary>What was done about the credentials that earlier jobs, killed or ended, left behind in their journals.</summary>
public sealed class RecoveryReport
{
    internal RecoveryReport(IReadOnlyList<JobReport> jobs, IReadOnlyList<TokenExchangeException> refused)
    {
        Jobs = jobs;
        Refused = refused;
    }

    /// <summary>A report for each job whose journal was recovered. What could not be ended (<see cref="LeaseEnd.Failed"/>) stays in its journal for the next recovery. The last one is of the recovery itself, where it could not end what it asked issuers with.</summary>
    public IReadOnlyList<JobReport> Jobs { get; }

    /// <summary>Journals that were refused or can't be read in part (NHI7004 to NHI7006), and those that the disk did not give or that were not looked at before the recovery was stopped (NHI7007), each with what to do. They were left where they are.</summary>
    public IReadOnlyList<TokenExchangeException> Refused { get; }

    /// <summary>Whether nothing is left: no credential that could be ended, no end that the audit did not take (<see cref="JobReport.Untold"/>), and no journal that was refused or not dealt with. Exchanges that were in the air are over, one way or the other, and don't count.</summary>
    public bool AllEnded => Refused.Count == 0 && Jobs.All(job => job.Untold == 0 && job.Leases.All(lease => lease.End != LeaseEnd.Failed));

    /// <summary>One line per job, credential and refusal.</summary>
    public override string ToString() => Text(Environment.NewLine, job => job.ToString());

    /// <summary>As <see cref="ToString"/>, for a line of the log.</summary>
    internal string ToLine() => Text("; ", job => job.ToLine());

    private string Text(string separator, Func<JobReport, string> tell) =>
        Jobs.Count + Refused.Count == 0 ? "nothing was left behind" : string.Join(separator, Jobs.Select(job => $"{job.Job}{job.LeftBy}: {tell(job)}").Concat(Refused.Select(refusal => refusal.Message)));
}
