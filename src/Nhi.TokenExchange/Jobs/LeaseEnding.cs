using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Ends leases: asks the issuer, tries again while there is time, records what is true afterwards.</summary>
internal sealed class LeaseEnding(JobSession session)
{
    // The audit may be slow, but an exchange or a job's end does not hang on it.
    private static readonly TimeSpan AuditDeadline = TimeSpan.FromSeconds(2);
    // Outside the job's end a single revocation has this long.
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);
    // A host may run for months beside an issuer that neither says when its credentials end nor ends them. The audit has them all.
    private const int MostOverdue = 1_000;

    private static readonly TimeSpan SoonestLook = TimeSpan.FromSeconds(1);

    private readonly ConcurrentQueue<LeaseOutcome> _outcomes = new();
    // Those that could not be ended when the end that was assumed for them had come. Apart, so that they push out nothing else.
    private readonly ConcurrentQueue<LeaseOutcome> _overdue = new();

    public IReadOnlyList<LeaseOutcome> Outcomes() => [.. _outcomes.Concat(_overdue).OrderBy(outcome => outcome.Target, StringComparer.Ordinal).ThenBy(outcome => outcome.DiesAt)];

    /// <summary>Ends leases that the caller has taken out of the set: the longest-lived first, all in parallel.</summary>
    public Task EndAllAsync(IReadOnlyList<Credential> taken, string reason, CancellationToken cancellationToken) =>
        Task.WhenAll(taken.OrderByDescending(credential => credential.ExpiresAt).Select(credential => EndTakenAsync(credential, reason, _outcomes.Enqueue, cancellationToken)));

    /// <summary>Ends a lease if nobody else does. Has its own deadline: the flight's may have passed already.</summary>
    /// <returns>What is true of it then; <see cref="LeaseEnd.AlreadyGone"/> if somebody else ends it.</returns>
    public async Task<LeaseEnd> EndAsync(Credential credential, string reason)
    {
        credential = session.Leases.Newest(credential);
        if (!LeaseSet.TryTake(credential))
            return LeaseEnd.AlreadyGone;
        using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
        return await EndTakenAsync(credential, reason, _outcomes.Enqueue, deadline.Token).ConfigureAwait(false);
    }

    /// <summary>As <see cref="EndAsync"/>; counted, so that the job's end waits for it. The end that has begun already finds the lease in the set.</summary>
    public async Task<LeaseEnd> EndOneAsync(Credential credential, string reason)
    {
        try
        {
            return session.Leases.TakeOff() ? await EndAsync(credential, reason).ConfigureAwait(false) : LeaseEnd.AlreadyGone;
        }
        finally
        {
            session.Leases.TouchDown();
        }
    }

    /// <summary>Ends a lease when the end that is assumed for it comes, if it lives then; the job's end finds it in the set.</summary>
    public async Task WatchAssumedEndAsync(Credential credential)
    {
        try
        {
            do
            {
                TimeSpan left = credential.ExpiresAt - session.Clock.Now;   // a wall that was set back makes it look again
                await Task.Delay(left > SoonestLook ? left : SoonestLook, session.Plan.Time, session.Ended).ConfigureAwait(false);
            }
            while (!session.Leases.IsPastEnd(credential));
            EndOverdue(credential);
        }
        catch (OperationCanceledException)
        {
            // The job ends.
        }
    }

    /// <summary>Ends a lease at an end that is uncertain. It is in the set until it is taken.</summary>
    public void EndOverdue(Credential credential) => InBackground([credential], async overdue =>
    {
        if (!LeaseSet.TryTake(overdue))
            return;
        using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
        await EndTakenAsync(overdue, "the end that was assumed for it has come", ListOverdue, deadline.Token).ConfigureAwait(false);
    });

    public void EndInBackground(IReadOnlyList<Credential> credentials, string reason) => InBackground(credentials, credential => EndAsync(credential, reason));

    private void InBackground(IReadOnlyList<Credential> credentials, Func<Credential, Task> end)
    {
        // Who finds something to end takes no part in the ending: it is not of the finder's flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        foreach (Credential credential in credentials)
        {
            if (!session.Leases.TakeOff())   // counted, so that the job's end waits for it
            {
                session.Leases.TouchDown();
                continue;   // the job ends already, and finds the lease in the set
            }
            _ = Task.Run(async () =>
            {
                try
                {
                    await end(credential).ConfigureAwait(false);
                }
                finally
                {
                    session.Leases.TouchDown();
                }
            });
        }
    }

    /// <summary>Accounts for a lease that died of age.</summary>
    public void NoteExpired(Credential credential)
    {
        credential.Lease.Owner!.Measurements.Ended(LeaseEnd.AlreadyGone);
        _ = TryRecordAsync(() => Event(AuditEventKind.Expired, credential, null));
    }

    public async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        ValueTask writing = session.Plan.Audit.WriteAsync(auditEvent, cancellationToken);
        if (writing.IsCompletedSuccessfully)
            return;
        await writing.AsTask().WaitAsync(AuditDeadline, session.Plan.Time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Records what has happened already. If the audit does not take it, the log says so.</summary>
    public async Task TryRecordAsync(Func<AuditEvent> auditEvent)
    {
        AuditEvent? made = null;
        try
        {
            made = auditEvent();
            await WriteAsync(made, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)   // it has happened; nothing that is still to come depends on its record
        {
            session.Plan.Logger.AuditFailed(made?.Kind, made?.Target, made?.FlightId, exception.GetType().Name);
        }
    }

    private void ListOverdue(LeaseOutcome outcome)
    {
        if (outcome.End is LeaseEnd.CannotBeRevoked or LeaseEnd.Failed)
            _overdue.Enqueue(outcome);
        while (_overdue.Count > MostOverdue && _overdue.TryDequeue(out _))
        {
            // The oldest go.
        }
    }

    private async Task<LeaseEnd> EndTakenAsync(Credential credential, string reason, Action<LeaseOutcome> list, CancellationToken cancellationToken)
    {
        TargetRuntime owner = credential.Lease.Owner!;
        (LeaseEnd end, string? failure) = await owner.Activities.RunAsync(() => AskAsync(credential, cancellationToken)).ConfigureAwait(false);
        owner.Measurements.Ended(end);
        if (failure is not null && credential.Lease.EndIsUncertain)
            failure += "; when it dies is uncertain: its issuer did not say, or its clock is not ours";
        list(new LeaseOutcome(owner.Target, credential.Fingerprint, end, session.Clock.InstantOf(credential.Lease.WallEnd), credential.ExpiresAt, failure));
        AuditEventKind kind = end is LeaseEnd.Revoked ? AuditEventKind.Revoked : end is LeaseEnd.AlreadyGone ? AuditEventKind.Expired : AuditEventKind.Orphaned;
        await TryRecordAsync(() => Event(kind, credential, failure is null ? reason : $"{reason}; {failure}", end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null)).ConfigureAwait(false);
        return end;
    }

    private async Task<(LeaseEnd End, string? Failure)> AskAsync(Credential credential, CancellationToken cancellationToken)
    {
        TargetRuntime owner = credential.Lease.Owner!;
        TimeSpan wait = FirstWait;
        while (true)
        {
            if (session.Leases.IsPastEnd(credential) && !credential.Lease.EndIsUncertain)
                return (LeaseEnd.AlreadyGone, null);
            try
            {
                Revocation revocation = await owner.RevokeAsync(credential, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
                return revocation switch
                {
                    Revocation.Revoked => (LeaseEnd.Revoked, null),
                    Revocation.AlreadyGone => (LeaseEnd.AlreadyGone, null),
                    _ => (LeaseEnd.CannotBeRevoked, owner.Plan.Exchanger.IsPlatformIssued ? "the platform issued it, and ends nothing before its time" : "this issuer ends nothing before its time"),
                };
            }
            catch (TokenExchangeException exception) when (exception.IsTransient && !cancellationToken.IsCancellationRequested)
            {
                try
                {
                    await Task.Delay(exception.RetryAfter is { } asked && asked > wait ? asked : wait, session.Plan.Time, cancellationToken).ConfigureAwait(false);
                }
                catch (OperationCanceledException)
                {
                    return (LeaseEnd.Failed, $"{exception.Code} until the deadline");
                }
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
            catch (Exception exception)   // whatever it was, the lease is accounted for
            {
                return (LeaseEnd.Failed, exception is OperationCanceledException ? "no answer until the deadline" : (exception as TokenExchangeException)?.Code ?? exception.GetType().Name);
            }
        }
    }

    private AuditEvent Event(AuditEventKind kind, Credential credential, string? reason, string? code = null) => new()
    {
        Kind = kind,
        At = session.Clock.Now,
        FlightId = session.FlightId(credential.Lease.FlightNumber),
        Target = credential.Lease.Origin!.Owner.Target,
        Job = credential.Lease.Origin.Attestation.Job,
        AttestedFacts = credential.Lease.Origin.Attestation.Attested,
        Issuer = credential.Lease.Origin.Owner.Plan.Exchanger.Issuer.AbsoluteUri,
        IsPlatformIssued = credential.Lease.Origin.Owner.Plan.Exchanger.IsPlatformIssued,
        Fingerprint = credential.Fingerprint,
        UnusableFrom = session.Clock.InstantOf(credential.Lease.WallEnd),
        DiesAt = credential.ExpiresAt,
        Reason = reason,
        Code = code,
    };
}
