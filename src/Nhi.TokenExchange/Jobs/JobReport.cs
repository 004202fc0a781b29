namespace Nhi.TokenExchange;

/// <summary>How the credentials of a job ended.</summary>
public sealed class JobReport
{
    internal JobReport(JobContext job, IReadOnlyList<LeaseOutcome> leases, int flightsInTheAir)
    {
        Job = job;
        Leases = leases;
        FlightsInTheAir = flightsInTheAir;
    }

    /// <summary>The job.</summary>
    public JobContext Job { get; }

    /// <summary>
    /// One outcome for each credential that had neither died of age before, nor been revoked at an end that was assumed for it because its issuer said none.
    /// Of those that could not be revoked at such an end, the last thousand; the audit has all.
    /// </summary>
    public IReadOnlyList<LeaseOutcome> Leases { get; }

    /// <summary>Exchanges that had not come back at the deadline; each ends its own credential when it does.</summary>
    public int FlightsInTheAir { get; }

    /// <summary>Whether nothing that could be ended was left: no failed revocation, no exchange in the air.</summary>
    public bool AllEnded => FlightsInTheAir == 0 && Leases.All(lease => lease.End != LeaseEnd.Failed);

    /// <summary>One line per credential.</summary>
    public override string ToString()
    {
        IEnumerable<string> lines = Leases.Select(lease => lease.ToString());
        if (FlightsInTheAir > 0)
            lines = lines.Append($"{FlightsInTheAir} exchange(s) still in the air");
        string text = string.Join(Environment.NewLine, lines);
        return text.Length == 0 ? "no credential was left to end" : text;
    }
}
