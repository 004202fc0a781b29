using System.Collections.Concurrent;
using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The books of a job's leases: what is true of those that were ended, or should have been, for report, audit, journal, health and metrics.</summary>
/// <remarks>The audit is told beside the revocations, and the journal after it (<see cref="EndRecords"/>): what has no record, for the audit is late or refuses it, is told once more at the job's end, and then left to the next start (<see cref="UntoldEnds"/>).</remarks>
/// <param name="session">The job.</param>
internal sealed class LeaseAccounts(JobSession session)
{
    /// <summary>What is said of a credential whose end is a guess.</summary>
    public const string Uncertain = "; when it dies is uncertain: its issuer did not say, or its clock is not ours, or a renewal of it was not answered";

    private readonly EndRecords _records = new();
    private readonly UntoldEnds _untold = new();
    private readonly ConcurrentDictionary<Credential, string> _unrevoked = new();
    // Nobody tries to end them any more, nor can the next start: once that is recorded, they are over for the journal.
    private readonly ConcurrentDictionary<Credential, bool> _givenUp = new();

    private Task _toldAgain = Task.CompletedTask;

    public LeaseOutcomes Outcomes { get; } = new();

    /// <summary>How many ends the audit has not taken, up to now.</summary>
    public int Untold => _untold.Count;

    /// <summary>How many credentials of a target could not be ended when they should have been.</summary>
    public int Unrevoked(TargetRuntime target) => _unrevoked.Values.Count(name => name == target.Target) + Outcomes.FailedBefore(target.Target);

    /// <summary>Whether a credential could not be ended when it should have been, and lives on.</summary>
    public bool IsUnrevoked(Credential credential) => _unrevoked.ContainsKey(credential);

    /// <summary>Tells the audit that the job ends before its time, whether or not it holds anything.</summary>
    public void NoteCutShort(EndCause cause)
    {
        AuditMoment when = session.Moment;
        var cutShort = new AuditEvent
        {
            Kind = AuditEventKind.JobCutShort, At = when.At, Elapsed = when.Elapsed, SessionId = when.SessionId, FlightId = Guid.Empty, Target = "", Job = session.Context, PolicyRevision = session.Plan.PolicyRevision, Code = cause.Code, Reason = cause.Reason,
        };
        UntoldEnd untold = _untold.Add(new UntoldEnd(cause, () => session.Audit.TryRecordAsync(() => cutShort), () => { }, () => { }));   // the journal is of credentials
        _ = _records.Add(() => _untold.TellAsync(untold));
    }

    /// <summary>Tells the audit that a broker of the job refused somebody.</summary>
    public Task NoteRefusal(string reason, CredentialCaller? caller)
    {
        AuditMoment when = session.Moment;
        return _records.Add(() => session.Audit.TryRecordAsync(() => new AuditEvent
        {
            Kind = AuditEventKind.CallerRefused, At = when.At, Elapsed = when.Elapsed, SessionId = when.SessionId, FlightId = Guid.Empty, Target = "", Job = session.Context, PolicyRevision = session.Plan.PolicyRevision, Caller = caller, Reason = reason,
        }));
    }

    /// <summary>Waits until the audit was told how leases ended, where it refused one once more. What it has not taken then is left to the next start.</summary>
    /// <returns>False: it has not taken all at the deadline.</returns>
    public async Task<bool> AreRecordedBeforeAsync(CancellationToken deadline)
    {
        if (await _records.AreMadeBeforeAsync(deadline).ConfigureAwait(false))
        {
            _toldAgain = _untold.TellAgainAsync();
            await _toldAgain.IsDoneBeforeAsync(deadline).ConfigureAwait(false);
        }
        _untold.Leave();
        return _untold.Count == 0;
    }

    /// <summary>Completes when each end was recorded, or given up.</summary>
    public async Task AllRecordedAsync()
    {
        await _records.AllMadeAsync().ConfigureAwait(false);
        await _toldAgain.ConfigureAwait(false);
    }

    /// <summary>Has an end recorded, beside what the caller does.</summary>
    public void RecordInBackground(LeaseAccount account) => _ = _records.Add(account.RecordAsync);

    /// <summary>Accounts for a lease that died of age.</summary>
    public void NoteExpired(Credential credential)
    {
        credential.Lease.Owner!.Measurements.Ended(LeaseEnd.AlreadyGone);
        _unrevoked.TryRemove(credential, out _);
        Task recorded = _untold.TellAsync(NewEnd(credential, LeaseEnd.AlreadyGone, session.Moment, null));
        if (!recorded.IsCompleted)
            _ = _records.Add(() => recorded);
    }

    /// <summary>Enters what became of what a failed exchange may have made.</summary>
    public async Task CloseAsync(TargetRuntime owner, JournalEntry announced, RevocationAnswer answer)
    {
        (LeaseEnd end, string? failure, _) = answer;
        JobJournal journal = session.Journal!;
        if (end == LeaseEnd.AlreadyGone)   // there was nothing
        {
            journal.NothingCame(announced);
            return;
        }
        owner.Measurements.Ended(end);
        Outcomes.AddBefore(new LeaseOutcome(owner.Target, "", end, announced.UnusableFrom, announced.DiesAt, failure, announced.Handle));
        const string Made = "its exchange failed, and may have made it";
        string reason = failure is null ? Made : $"{Made}; {failure}";
        AuditMoment when = session.Moment;
        bool isOver = end != LeaseEnd.Failed;   // else the next start asks again
        await _untold.TellAsync(_untold.Add(new UntoldEnd(
            announced,
            () => owner.Activities.RecordAsync(answer.Trace, () => session.Audit.TryRecordAsync(() => announced.ToEvent(KindOf(end), when, session.Context, session.Plan.PolicyRevision, reason, isOver ? null : ErrorCodes.RevocationFailed))),
            () =>
            {
                if (isOver)
                    journal.NothingCame(announced);
            },
            () =>
            {
                if (isOver)
                    journal.Untold(announced, new JournalUntold(end, when.At, reason));
            }))).ConfigureAwait(false);
    }

    /// <summary>Enters what is true of a lease after its issuer was asked.</summary>
    /// <param name="credential">Taken or borrowed by the caller.</param>
    /// <param name="reason">Why it was to end.</param>
    /// <param name="answer">What is true of it, and why it did not end, or with what.</param>
    /// <param name="list">Told of what the report says of it.</param>
    /// <returns>What is to be recorded yet.</returns>
    public LeaseAccount Account(Credential credential, string reason, RevocationAnswer answer, Action<LeaseOutcome> list)
    {
        (LeaseEnd end, string? note, ActivityContext trace) = answer;
        TargetRuntime owner = credential.Lease.Owner!;
        if (note is not null && end != LeaseEnd.AlreadyGone && LeaseSet.IsEndUncertain(credential))
            note += Uncertain;
        list(new LeaseOutcome(owner.Target, credential.Fingerprint, end, session.Clock.InstantOf(credential.Lease.WallEnd), credential.ExpiresAt, note, credential.Lease.Handle));
        if (end != LeaseEnd.Failed)
            _unrevoked.TryRemove(credential, out _);
        if (end == LeaseEnd.Failed && !_unrevoked.TryAdd(credential, owner.Target) && !session.Leases.IsClosed)
        {
            return new LeaseAccount(end, () =>   // tried again and again, it is told of once, and at the job's end
            {
                EndInJournal(credential, end);
                return Task.CompletedTask;
            });
        }
        owner.Measurements.Ended(end);
        UntoldEnd untold = NewEnd(credential, end, session.Moment, note is null ? reason : $"{reason}; {note}", trace);
        return new LeaseAccount(end, () => _untold.TellAsync(untold));
    }

    /// <summary>Lists a lease that somebody ends who has not come back at the job's end.</summary>
    public void ListUnanswered(Credential credential) => Outcomes.AddAtTheEnd(new LeaseOutcome(
        credential.Lease.Owner!.Target, credential.Fingerprint, LeaseEnd.Failed, session.Clock.InstantOf(credential.Lease.WallEnd), credential.ExpiresAt,
        "its revocation had begun before the job's end, and was not answered by then", credential.Lease.Handle));

    /// <summary>Nobody tries any more. What lives, or has a handle, is left to the next start to end or to tell of; what has neither is over: before its record is made.</summary>
    public void GiveUp(Credential credential)
    {
        _unrevoked.TryRemove(credential, out _);
        if (credential.Lease.Handle is null && session.Leases.IsPastEnd(credential))
            _givenUp.TryAdd(credential, true);
    }

    /// <summary>What the audit calls an end.</summary>
    public static AuditEventKind KindOf(LeaseEnd end) => end is LeaseEnd.Revoked ? AuditEventKind.Revoked : end is LeaseEnd.AlreadyGone ? AuditEventKind.Expired : AuditEventKind.Orphaned;

    private UntoldEnd NewEnd(Credential credential, LeaseEnd end, AuditMoment when, string? reason, ActivityContext trace = default) => _untold.Add(new UntoldEnd(
        credential,
        () => credential.Lease.Owner!.Activities.RecordAsync(trace, () => session.Audit.TryRecordAsync(() => Event(KindOf(end), credential, when, reason, end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null))),
        () => EndInJournal(credential, end),
        () =>
        {
            if (end != LeaseEnd.Failed || credential.Lease.Handle is null)   // else the next start asks again
                session.Journal?.Untold(credential, new JournalUntold(end, when.At, reason));
        }));

    // Once it is recorded.
    private void EndInJournal(Credential credential, LeaseEnd end)
    {
        if (end != LeaseEnd.Failed || _givenUp.TryRemove(credential, out _))
            session.Journal?.Ended(credential, end);
    }

    private AuditEvent Event(AuditEventKind kind, Credential credential, AuditMoment when, string? reason, string? code = null) => new()
    {
        Kind = kind,
        At = when.At,
        Elapsed = when.Elapsed,
        SessionId = when.SessionId,
        FlightId = session.FlightId(credential.Lease.FlightNumber),
        Target = credential.Lease.Origin!.Owner.Target,
        Job = credential.Lease.Origin.Attestation.Job,
        AttestedFacts = credential.Lease.Origin.Attestation.Attested,
        Issuer = credential.Lease.Origin.Owner.Plan.Exchanger.Issuer.AbsoluteUri,
        SubjectIssuer = credential.Lease.Origin.Workload.Issuer,
        Subject = credential.Lease.Origin.Workload.Subject,
        WorkloadIsAsserted = credential.Lease.Origin.Workload.IsAsserted,
        IsAPersons = credential.Lease.Origin.Workload.IsAPersons,
        Through = credential.Lease.Origin.Owner.Plan.Through,
        IsPlatformIssued = credential.Lease.Origin.Owner.Plan.Exchanger.IsPlatformIssued,
        StaticKey = credential.Lease.Origin.Owner.Plan.Exchanger.StaticKey?.As(credential),
        PolicyRevision = session.Plan.PolicyRevision,
        Fingerprint = credential.Fingerprint,
        RevocationHandle = credential.Lease.Handle,
        UnusableFrom = session.Clock.InstantOf(credential.Lease.WallEnd),
        DiesAt = credential.KnownEnd,
        Reason = reason,
        Code = code,
    };
}
