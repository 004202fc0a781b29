namespace Nhi.TokenExchange.Soak;

// What the process under test writes down. Times are ticks of 100 ns since the run's start, by a clock that never jumps.

/// <summary>One audit event, as the sink got it. The proof's fingerprint with the intent only.</summary>
internal sealed record AuditRecord(long At, AuditEventKind Kind, Guid Flight, string Run, string Target, string? Fingerprint, string? Code, string? Revision, string? Scopes, DateTimeOffset? DiesAt, string? Proof)
{
    public static AuditRecord Of(AuditEvent told, long at) => new(
        at, told.Kind, told.FlightId, told.Job.Run ?? "", told.Target, told.Fingerprint, told.Code, told.PolicyRevision, told.Scopes.IsEmpty ? null : told.Scopes.ToString(), told.DiesAt,
        told.Kind == AuditEventKind.Exchanging ? told.SubjectFingerprint : null);
}

/// <summary>All hand-outs of one credential. The start of the last return is that of the same call.</summary>
internal sealed record HandOutRecord(string Run, string Target, string Fingerprint, long FirstReturn, long LastStart, long LastReturn, long StartOfLastReturn, long Count, DateTimeOffset UnusableFrom, long? RejectedAt);

/// <summary>One call that gave nothing although its caller had not given up.</summary>
internal sealed record FailureRecord(string Run, string Target, long Start, long End, string Code);

/// <summary>One call that came back after its own deadline, or never.</summary>
internal sealed record LateRecord(string Run, string Target, long Start, long Deadline, long End, bool CameBack);

/// <summary>One call to the API by a handler, however it ended.</summary>
internal sealed record UseRecord(string Run, string Target, long Start, long End);

/// <summary>One job, what ended it, and what its report says.</summary>
internal sealed record JobRecord(string Run, JobEnd End, long Started, long Completing, long Completed, int FlightsInTheAir, IReadOnlyList<LeaseEntry> Leases)
{
    /// <summary>What callers are told after it.</summary>
    public string Code => End switch { JobEnd.Revoked or JobEnd.KillSwitch => "NHI7002", JobEnd.MaxDuration => "NHI7003", _ => "NHI7001" };
}

internal sealed record LeaseEntry(string Target, string Fingerprint, LeaseEnd End, DateTimeOffset DiesAt);

/// <summary>A time in which the machine did not run a thread that wanted to run: waits may be longer by it.</summary>
internal sealed record StallRecord(long From, long To);

/// <summary>A time in which work waited for a thread of the pool, and how much of it the machine stood still.</summary>
internal sealed record PoolWaitRecord(long From, long To, long Overslept);

/// <summary>The rules changed.</summary>
internal sealed record PolicyRecord(long Changing, long Changed, string Revision, bool IsDenying);

/// <summary>What the process used at one instant, and how many jobs the collector had not let go of: those that ran, and those that it had not looked for yet or that something holds.</summary>
internal sealed record ResourceRecord(long At, string When, long WorkingSet, long Managed, int Handles, int Threads, int PoolThreads, int Jobs);

/// <summary>The counts of the whole run.</summary>
internal sealed record ChildSummary(long Calls, long HandOuts, long GaveUp, long Failed, int Jobs, int UnobservedExceptions, long HttpUses);
