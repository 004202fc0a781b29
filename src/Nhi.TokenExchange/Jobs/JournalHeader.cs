namespace Nhi.TokenExchange;

/// <summary>The first line of a journal: whose it is.</summary>
/// <param name="StartedAt">When the job started.</param>
/// <param name="Process">The process that the job runs, or ran, in.</param>
/// <param name="Job">The job, as configuration, code and runtime say it.</param>
/// <param name="Version">Of the lines: a build that is older than a kind of line can't read it.</param>
internal sealed record JournalHeader(DateTimeOffset StartedAt, ProcessIdentity Process, JobContext Job, int Version = JournalText.Version)
{
    /// <summary>Whether its lines may be "untold".</summary>
    public bool KnowsUntold => Version > JournalText.OldestVersion;
}
