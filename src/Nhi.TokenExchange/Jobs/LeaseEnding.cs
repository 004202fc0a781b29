using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>Ends leases: asks the issuer, tries again while there is time, records what is true afterwards.</summary>
/// <remarks>
/// The order at the job's end: all targets at once, so that an issuer that hangs holds up nobody else's; within a target, some at a time, the one with the longest life left first, for it is worth the most to a thief. A target that others
/// go through waits for those, as an issuer may want the credential that it was got with to end another; but no longer than a quarter of the time, for who holds it can get them anew.
/// What could not be ended while the job runs goes back into the set, and the job's end tries again.
/// </remarks>
internal sealed class LeaseEnding(JobSession session)
{
    // Outside the job's end a single revocation has this long.
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    // At once, of one target. An issuer that answers in 100 ms ends 1,600 credentials in 10 s.
    private const int MostAtOnce = 16;

    // While the job runs: who takes one may ask, and puts it back.
    private readonly Channel<int> _turns = NewTurns();
    private readonly ConcurrentDictionary<Credential, string> _unrevoked = new();

    public LeaseOutcomes Outcomes { get; } = new();

    /// <summary>How many credentials of a target could not be ended when they should have been.</summary>
    public int Unrevoked(TargetRuntime target) => _unrevoked.Values.Count(name => name == target.Target) + Outcomes.FailedBefore(target.Target);

    /// <summary>Ends leases that the caller has taken out of the set; the order is above.</summary>
    public async Task EndAllAsync(IReadOnlyList<Credential> taken, string reason, CancellationToken cancellationToken)
    {
        ILookup<TargetRuntime, Credential> byTarget = taken.ToLookup(credential => credential.Lease.Owner!);
        var ends = new Dictionary<string, Task>(StringComparer.Ordinal);
        foreach (TargetRuntime target in session.Targets.Reverse())   // those that go through others stand behind them
        {
            Task behind = Task.WhenAll(session.Targets.Where(other => other.Plan.Through == target.Target).Select(other => ends[other.Target]));
            ends.Add(target.Target, EndAllAsync([.. byTarget[target].OrderByDescending(credential => credential.ExpiresAt)], behind, reason, cancellationToken));
        }
        await Task.WhenAll(ends.Values).ConfigureAwait(false);
    }

    /// <summary>Ends a lease if nobody else does. Has its own deadline: the flight's may have passed already.</summary>
    /// <returns>What is true of it then; <see cref="LeaseEnd.AlreadyGone"/> if somebody else ends it.</returns>
    public async Task<LeaseEnd> EndAsync(Credential credential, string reason)
    {
        credential = session.Leases.Newest(credential);
        if (!LeaseSet.TryBorrow(credential))
            return LeaseEnd.AlreadyGone;
        using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
        return await EndBorrowedAsync(credential, reason, isListed: true, isLastTry: false, deadline.Token).ConfigureAwait(false);
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

    /// <summary>Ends a lease at an end that was assumed for it. Listed is what can't be ended then; the others are over, as if they had died of age.</summary>
    /// <param name="credential">It is in the set until it is ended.</param>
    /// <param name="isLastTry">Whether it is given up if that fails.</param>
    /// <returns>What is true then; null if the job ends, or somebody else ends the lease.</returns>
    public Task<LeaseEnd?> EndOverdueAsync(Credential credential, bool isLastTry) => EndInTurnAsync(credential, "the end that was assumed for it has come", isListed: false, isLastTry);

    /// <summary>Pruning found a lease at an end that is uncertain.</summary>
    public void NoteOverdue(Credential credential)
    {
        if (!_unrevoked.ContainsKey(credential))   // else it was tried
            InBackground([credential], overdue => EndOverdueAsync(overdue, isLastTry: false));
    }

    public void EndInBackground(IReadOnlyList<Credential> credentials, string reason) => InBackground(credentials, credential => EndInTurnAsync(session.Leases.Newest(credential), reason, isListed: true, isLastTry: false));

    /// <summary>Accounts for a lease that died of age.</summary>
    public void NoteExpired(Credential credential)
    {
        credential.Lease.Owner!.Measurements.Ended(LeaseEnd.AlreadyGone);
        _unrevoked.TryRemove(credential, out _);
        session.Journal?.Ended(credential, LeaseEnd.AlreadyGone);
        _ = session.Audit.TryRecordAsync(() => Event(AuditEventKind.Expired, credential, null));
    }

    private static Channel<int> NewTurns()
    {
        var turns = Channel.CreateBounded<int>(MostAtOnce);
        while (turns.Writer.TryWrite(0))
        {
            // As many as it holds.
        }
        return turns;
    }

    private static void InBackground(IReadOnlyList<Credential> credentials, Func<Credential, Task> end)
    {
        // Who finds something to end takes no part in the ending: it is not of the finder's flight.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        foreach (Credential credential in credentials)
            _ = Task.Run(() => end(credential));
    }

    // Counted, so that the job's end waits for it; some at a time. A job that ends meanwhile finds it in the set.
    private async Task<LeaseEnd?> EndInTurnAsync(Credential credential, string reason, bool isListed, bool isLastTry)
    {
        bool jobRuns = session.Leases.TakeOff();
        bool hasTurn = false;
        try
        {
            if (!jobRuns || !LeaseSet.TryBorrow(credential))
                return null;
            hasTurn = await HasTurnAsync().ConfigureAwait(false);
            if (!hasTurn && session.Leases.PutBack(credential))
                return null;
            using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
            return await EndBorrowedAsync(credential, reason, isListed, isLastTry, deadline.Token).ConfigureAwait(false);
        }
        finally
        {
            if (hasTurn)
                _turns.Writer.TryWrite(0);
            session.Leases.TouchDown();
        }
    }

    private async Task<bool> HasTurnAsync()
    {
        try
        {
            await _turns.Reader.ReadAsync(session.Ended).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task EndAllAsync(IReadOnlyList<Credential> taken, Task behind, string reason, CancellationToken cancellationToken)
    {
        if (taken.Count == 0)
        {
            await behind.ConfigureAwait(false);   // who waits for this target waits for those behind it, too
            return;
        }
        if (!behind.IsCompleted)
        {
            using var headStart = new CancellationTokenSource(session.Plan.EndWithin / 4, session.Plan.Time);
            await behind.IsDoneBeforeAsync(headStart.Token).ConfigureAwait(false);
        }
        await Parallel.ForEachAsync(taken, new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce }, async (credential, _) =>
        {
            if (await EndTakenAsync(credential, reason, Outcomes.AddAtTheEnd, cancellationToken).ConfigureAwait(false) == LeaseEnd.Failed)
                GiveUp(credential);
        }).ConfigureAwait(false);
    }

    // What has a handle is left to the next start; without one, nothing more can be done than was told.
    private void GiveUp(Credential credential)
    {
        _unrevoked.TryRemove(credential, out _);
        if (credential.Lease.Handle is null)
            session.Journal?.Ended(credential, LeaseEnd.Failed);
    }

    private async Task<LeaseEnd> EndBorrowedAsync(Credential credential, string reason, bool isListed, bool isLastTry, CancellationToken cancellationToken)
    {
        LeaseOutcome? outcome = null;
        LeaseEnd end = await EndTakenAsync(credential, reason, one => outcome = one, cancellationToken).ConfigureAwait(false);
        if (end == LeaseEnd.Failed && !isLastTry && session.Leases.PutBack(credential))
            return end;   // the job's end, or a later try, tells how it ended
        LeaseSet.Keep(credential);
        if (end == LeaseEnd.Failed)
            GiveUp(credential);
        if (isListed || end is LeaseEnd.CannotBeRevoked or LeaseEnd.Failed)
            Outcomes.AddBefore(outcome!);
        return end;
    }

    private async Task<LeaseEnd> EndTakenAsync(Credential credential, string reason, Action<LeaseOutcome> list, CancellationToken cancellationToken)
    {
        TargetRuntime owner = credential.Lease.Owner!;
        (LeaseEnd end, string? failure) = await owner.Activities.RunAsync(() => new RevocationAttempts(owner, session.Plan.Time).RunAsync(
            deadline => owner.RevokeAsync(credential, deadline), () => session.Leases.IsPastEnd(credential) && !credential.Lease.EndIsUncertain, cancellationToken)).ConfigureAwait(false);
        if (failure is not null && credential.Lease.EndIsUncertain)
            failure += "; when it dies is uncertain: its issuer did not say, or its clock is not ours";
        list(new LeaseOutcome(owner.Target, credential.Fingerprint, end, session.Clock.InstantOf(credential.Lease.WallEnd), credential.ExpiresAt, failure));
        AuditEventKind kind = end is LeaseEnd.Revoked ? AuditEventKind.Revoked : end is LeaseEnd.AlreadyGone ? AuditEventKind.Expired : AuditEventKind.Orphaned;
        if (end != LeaseEnd.Failed)
            _unrevoked.TryRemove(credential, out _);
        if (end == LeaseEnd.Failed && !_unrevoked.TryAdd(credential, owner.Target) && !session.Leases.IsClosed)
            return end;   // tried again and again, it is told of once, and at the job's end
        owner.Measurements.Ended(end);
        await session.Audit.TryRecordAsync(() => Event(kind, credential, failure is null ? reason : $"{reason}; {failure}", end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null)).ConfigureAwait(false);
        if (end != LeaseEnd.Failed)
            session.Journal?.Ended(credential, end);
        return end;
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
        PolicyRevision = session.Plan.PolicyRevision,
        Fingerprint = credential.Fingerprint,
        UnusableFrom = session.Clock.InstantOf(credential.Lease.WallEnd),
        DiesAt = credential.ExpiresAt,
        Reason = reason,
        Code = code,
    };
}
