namespace Nhi.TokenExchange;

/// <summary>How the credentials of a job ended.</summary>
public sealed class JobReport
{
    private readonly long _failedLeftOut;

    internal JobReport(JobContext job, IReadOnlyList<LeaseOutcome> leases, int flightsInTheAir, long endedLeftOut = 0, long failedLeftOut = 0)
    {
        Job = job;
        Leases = leases;
        FlightsInTheAir = flightsInTheAir;
        LeasesLeftOut = endedLeftOut + failedLeftOut;
        _failedLeftOut = failedLeftOut;
    }

    /// <summary>The job.</summary>
    public JobContext Job { get; }

    /// <summary>
    /// One outcome for each credential that the job's end found, or that was ended before. Those that died of age before are listed as already gone, or not at all where that was long ago; those that were revoked at an end that was
    /// assumed for them because their issuer said none are not listed. Of those that ended before the job did, the last thousand, and the last ten thousand that could not be ended; the audit has all.
    /// </summary>
    public IReadOnlyList<LeaseOutcome> Leases { get; }

    /// <summary>How many outcomes of credentials that ended before the job did are not listed.</summary>
    public long LeasesLeftOut { get; }

    /// <summary>Exchanges and revocations that had not come back at the deadline. An exchange is given up then: what its issuer makes of it nobody has, and it lives to its end. Of a revocation there is a line, too. In a report of what a crash left behind: exchanges of which nobody knows whether a credential came.</summary>
    public int FlightsInTheAir { get; }

    /// <summary>Whether nothing that could be ended was left: no failed revocation, listed or not, and no exchange in the air.</summary>
    public bool AllEnded => FlightsInTheAir == 0 && _failedLeftOut == 0 && Leases.All(lease => lease.End != LeaseEnd.Failed);

    /// <summary>The head of the chain of the audit's files that was said last, as <c>chain:seq:hash</c>, to keep where the job's user can't write: <see cref="AuditTrail.Verify"/> takes it. Of a chain that came to its end in time, that of its last line; null where the audit has no files.</summary>
    public string? AuditAnchor { get; internal set; }

    /// <summary>How many ends, the job's own among them where it was cut short, the audit had not taken when it was waited for no longer. Those of credentials stand in the journal, where there is one, for the next recovery to tell. They don't count for <see cref="AllEnded"/>.</summary>
    public int Untold { get; internal set; }

    /// <summary>Of a job that left this behind: which run of it that was, and how it ended. Empty of one that tells of itself.</summary>
    internal string LeftBy { get; init; } = "";

    /// <summary>One line per credential.</summary>
    public override string ToString() => Text(Environment.NewLine);

    /// <summary>As <see cref="ToString"/>, for a line of the log.</summary>
    internal string ToLine() => Text("; ");

    private string Text(string separator)
    {
        IEnumerable<string> lines = Leases.Select(lease => lease.ToString());
        if (LeasesLeftOut > 0)
            lines = lines.Append($"{LeasesLeftOut} credential(s) that ended before are not listed{(_failedLeftOut > 0 ? $", {_failedLeftOut} of them NOT revoked" : "")}");
        if (FlightsInTheAir > 0)
            lines = lines.Append($"{FlightsInTheAir} exchange(s) in the air");
        if (Untold > 0)
            lines = lines.Append($"{Untold} end(s) NOT told: the audit did not take them");
        string text = string.Join(separator, lines);
        return text.Length == 0 ? "no credential was left to end" : text;
    }
}
