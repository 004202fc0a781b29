namespace Nhi.TokenExchange;

// How the job ends, and what is left of it then.
public sealed partial class TokenExchangeBuilder
{
    internal static readonly TimeSpan LongestDuration = new(23, 59, 59);

    private bool _endOnSignals = true;
    private TimeSpan? _endWithin;
    private TimeSpan? _maxDuration;
    private string? _killSwitch;
    private string? _journal;
    private Disk _journalDisk = Disk.System;
    private bool? _failOnUnrevoked;

    /// <summary>Whether SIGTERM, SIGINT (Ctrl-C), SIGQUIT and SIGHUP end the job before they end the process. Default true; off where a host ends the session.</summary>
    /// <param name="enabled">False leaves signals alone.</param>
    public TokenExchangeBuilder EndOnSignals(bool enabled)
    {
        _endOnSignals = enabled;
        return this;
    }

    /// <summary>How long the end of the job may take at most, all revocations together. Default 10 seconds; from 1 second to 5 minutes.</summary>
    /// <param name="limit">The deadline of <see cref="JobSession.CompleteAsync"/>.</param>
    public TokenExchangeBuilder EndWithin(TimeSpan limit)
    {
        if (limit < TimeSpan.FromSeconds(1) || limit > TimeSpan.FromMinutes(5))
            _errors.Add("EndWithin", $"is {limit}", "Give a time from 00:00:01 to 00:05:00.");
        else
            _endWithin = limit;
        return this;
    }

    /// <summary>How long the job may run at most. It is ended then as by <see cref="JobSession.CompleteAsync"/>, and callers are told why (NHI7003). Default: no limit. Each session of a factory has this long, the host's own too.</summary>
    /// <param name="limit">From 1 second to 23:59:59, by the clock that says it first: monotonic, or wall (looked at once a minute), which goes on while the machine is suspended.</param>
    public TokenExchangeBuilder MaxDuration(TimeSpan limit)
    {
        if (limit < TimeSpan.FromSeconds(1) || limit > LongestDuration)
            _errors.Add("MaxDuration", $"is {limit}", "Give a time from 00:00:01 to 23:59:59, or none.");
        else
            _maxDuration = limit;
        return this;
    }

    /// <summary>Names a file whose appearance revokes the job (NHI7002), with its first line as the reason: the operator's switch. Looked for at the start, and then every 5 seconds. Default: none.</summary>
    /// <param name="path">Absolute, in a folder that is there. Who may write into that folder may end the job.</param>
    public TokenExchangeBuilder KillSwitch(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _killSwitch = Whole("KillSwitch", path, "is not the absolute path of a file");
        return this;
    }

    /// <summary>
    /// Names the folder of journals: what credentials the job has, without a secret, so that the next start can revoke or account for them if the process is killed. Default: none. What can't be written there is not handed out (NHI6001).
    /// </summary>
    /// <param name="path">Absolute, on a disk that outlives the process; each job writes a file of its own into it. If it is missing in a folder that is there, it is made, for the job's user alone.</param>
    public TokenExchangeBuilder Journal(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _journal = Whole("Journal", path, "is not the absolute path of a folder, without a separator at its end");
        return this;
    }

    /// <summary>Replaces the disk below the journal: for tests.</summary>
    internal TokenExchangeBuilder JournalDisk(Disk disk)
    {
        _journalDisk = disk;
        return this;
    }

    /// <summary>Whether a job that ends with credentials that could not be ended (<see cref="JobReport.AllEnded"/>) makes the process fail: its <see cref="Environment.ExitCode"/> becomes 69 if it is 0. Default false: log, audit and report say it.</summary>
    /// <param name="enabled">True sets the exit code. A number that <c>Main</c> returns wins over it.</param>
    public TokenExchangeBuilder FailOnUnrevoked(bool enabled)
    {
        _failOnUnrevoked = enabled;
        return this;
    }

    private string? Whole(string setting, string path, string otherwise)
    {
        if (Path.IsPathFullyQualified(path) && !Path.EndsInDirectorySeparator(path) && !path.Contains('\0', StringComparison.Ordinal))
            return path;
        _errors.Add(setting, otherwise, "Write the whole path from the root on; ~ and variables are not expanded.");
        return null;
    }
}
