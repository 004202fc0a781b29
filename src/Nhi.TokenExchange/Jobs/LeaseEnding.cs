using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Ends leases: asks the issuer, tries again while there is time, and has the books say what is true afterwards.</summary>
/// <remarks>
/// The order at the job's end: all targets at once, so that an issuer that hangs holds up nobody else's; within a target, some at a time, the one with the longest life left first, for it is worth the most to a thief. A target that others
/// go through waits for those, as an issuer may want the credential that it was got with to end another; but no longer than a quarter of the time, for who holds it can get them anew. That holds outside of the job's end, too: before a
/// credential is ended, what its issuer would end with it is. Where the issuer says of the one alone that it ended, the other is told as not ended, and is left to the next start to ask for.
/// What could not be ended while the job runs goes back into the set, and the job's end tries again; so does what failed while the job ended, as long as there is time.
/// The audit is told beside all that (<see cref="LeaseAccounts"/>): who is slow there must not keep credentials alive.
/// </remarks>
/// <param name="session">The job.</param>
/// <param name="accounts">Its books.</param>
internal sealed partial class LeaseEnding(JobSession session, LeaseAccounts accounts)
{
    // Outside the job's end a single revocation has this long.
    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(10);
    // At once, of one target. An issuer that answers in 100 ms ends 1,600 credentials in 10 s.
    private const int MostAtOnce = 16;

    // While the job runs, of each target: who takes one may ask, and puts it back.
    private readonly ConcurrentDictionary<TargetRuntime, Turns> _turns = new();
    // The deadline of the job's end, once that has begun.
    private readonly TaskCompletionSource<CancellationToken> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Told of at an end that is uncertain, and waiting for a turn.
    private readonly ConcurrentDictionary<Credential, bool> _overdue = new();
    // Not ended at the job's end: what they ended with may be ended still.
    private readonly ConcurrentQueue<(Credential Credential, Asked Asked)> _unsettled = new();
    // Being ended by somebody who began before the job's end.
    private readonly ConcurrentDictionary<Credential, bool> _borrowed = new(ReferenceEqualityComparer.Instance);
    // What comes back is in the report once: by its own line, or as unanswered.
    private readonly Turns _listing = new(1);

    /// <summary>Ends leases that the job's end has taken out of the set; the order is above.</summary>
    /// <param name="taken">The leases.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Cancelled at the deadline of the job's end.</param>
    public async Task EndAllAsync(IReadOnlyList<Credential> taken, string reason, CancellationToken cancellationToken)
    {
        _end.TrySetResult(cancellationToken);
        ILookup<TargetRuntime, Credential> byTarget = taken.ToLookup(credential => credential.Lease.Owner!);
        foreach (Credential hop in taken.Where(credential => IsHop(credential.Lease.Owner!)))
            _takenHops.Enqueue(hop);
        var ends = new Dictionary<string, Task>(StringComparer.Ordinal);
        foreach (TargetRuntime target in session.Targets.Reverse())   // those that go through others stand behind them
        {
            Task behind = EndsBehind(target, ends);
            ends.Add(target.Target, EndAllAsync([.. byTarget[target].OrderByDescending(credential => credential.ExpiresAt)], behind, reason, cancellationToken));
        }
        await Task.WhenAll(ends.Values).ConfigureAwait(false);
        while (_unsettled.TryDequeue(out (Credential Credential, Asked Asked) one))
            Conclude(one.Credential, reason, one.Asked);
    }

    /// <summary>Lists what somebody began to end before the job did, and has not come back from. Its record in the audit is that one's.</summary>
    public async Task ListUnansweredAsync()
    {
        await _listing.TakeAsync(CancellationToken.None).ConfigureAwait(false);
        foreach (Credential credential in _borrowed.Keys)
            accounts.ListUnanswered(credential);
        _borrowed.Clear();
        _listing.GiveBack();
    }

    /// <summary>Ends a lease that was decided on, if nobody else does. Has its own deadline: the flight's may have passed already.</summary>
    /// <returns>What is true of it then; <see cref="LeaseEnd.AlreadyGone"/> if somebody else ends it.</returns>
    public async Task<LeaseEnd> EndAsync(Credential credential, string reason)
    {
        await EndBehindAsync(credential, reason).ConfigureAwait(false);
        return await EndBorrowedAsync(BorrowDecidedOn(credential), reason).ConfigureAwait(false);
    }

    /// <summary>Ends a lease, or what has taken its place; counted, so that the job's end waits for it. The end that has begun already finds the lease in the set.</summary>
    public async Task<LeaseEnd> EndOneAsync(Credential credential, string reason)
    {
        try
        {
            if (!session.Leases.TakeOff())
                return LeaseEnd.AlreadyGone;
            await EndBehindAsync(credential, reason).ConfigureAwait(false);
            return await EndBorrowedAsync(session.Leases.TryBorrowNewest(credential), reason).ConfigureAwait(false);
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
    public Task<LeaseEnd?> EndOverdueAsync(Credential credential, bool isLastTry) =>
        EndAloneAsync(credential, "the end that was assumed for it has come", isListed: false, isLastTry);

    /// <summary>Ends a lease whose permit is over.</summary>
    /// <inheritdoc cref="EndOverdueAsync"/>
    public Task<LeaseEnd?> EndUnpermittedAsync(Credential credential, bool isLastTry) => EndAloneAsync(credential, "its permit is over", isListed: true, isLastTry);

    /// <summary>Pruning found a lease at an end that is uncertain.</summary>
    public void NoteOverdue(Credential credential)
    {
        if (!accounts.IsUnrevoked(credential) && _overdue.TryAdd(credential, true))   // else it was tried, or waits for its turn
            OutOfFlow(() => _ = Task.Run(() => EndNotedAsync(credential)));
    }

    /// <summary>Ends leases, in the order of above, and returns at once.</summary>
    public void EndInBackground(IReadOnlyList<Credential> credentials, string reason) => OutOfFlow(() =>
    {
        ILookup<TargetRuntime, Credential> byTarget = credentials.ToLookup(credential => credential.Lease.Owner!);
        var ends = new Dictionary<string, Task>(StringComparer.Ordinal);
        foreach (TargetRuntime target in session.Targets.Reverse())
        {
            Task behind = EndsBehind(target, ends);
            ends.Add(target.Target, Task.WhenAll(byTarget[target].Select(credential => Task.Run(() => EndAfterAsync(behind, credential, reason))).Append(behind)));
        }
    });

    /// <summary>An exchange failed that may have made something all the same: ends it by the handle that its exchanger had chosen. What can't be ended so stays in the journal for the next start.</summary>
    public async Task EndAnnouncedAsync(TargetRuntime owner, JournalEntry announced)
    {
        using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
        RevocationAnswer answer = await owner.Activities.RunAsync(() => new RevocationAttempts(owner, session.Plan.Time).RunAsync(
            cancellation => owner.RevokeAsync(announced.Handle!, cancellation), () => false, deadline.Token)).ConfigureAwait(false);
        await accounts.CloseAsync(owner, announced, answer).ConfigureAwait(false);
    }

    // Who finds something to end takes no part in the ending: it is not of the finder's flight.
    private static void OutOfFlow(Action begin)
    {
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        begin();
    }

    private async Task EndAfterAsync(Task behind, Credential credential, string reason)
    {
        await GiveHeadStartAsync(behind).ConfigureAwait(false);
        await EndInTurnAsync(credential, BorrowDecidedOn, reason, isListed: true, isLastTry: false).ConfigureAwait(false);
    }

    private Task EndsBehind(TargetRuntime target, Dictionary<string, Task> ends) => Task.WhenAll(session.Targets.Where(other => other.Plan.Through == target.Target).Select(other => ends[other.Target]));

    private async Task GiveHeadStartAsync(Task behind)
    {
        if (behind.IsCompleted)
            return;
        using var headStart = new CancellationTokenSource(session.Plan.EndWithin / 4, session.Plan.Time);
        await behind.IsDoneBeforeAsync(headStart.Token).ConfigureAwait(false);
    }

    private Task EndBehindAsync(Credential credential, string reason) => GiveHeadStartAsync(Task.WhenAll(
        credential.Lease.Owner!.LiveBehind(credential).Select(one => EndInTurnAsync(one, session.Leases.TryBorrowNewest, reason, isListed: true, isLastTry: false))));

    private async Task EndNotedAsync(Credential credential)
    {
        await EndOverdueAsync(credential, isLastTry: false).ConfigureAwait(false);
        _overdue.TryRemove(credential, out _);
    }

    // What has taken its place lives on, and with that what was got with either.
    private Task<LeaseEnd?> EndAloneAsync(Credential credential, string reason, bool isListed, bool isLastTry) =>
        LeaseOwnership.IsOpen(credential) ? EndInTurnAsync(credential, Borrowed, reason, isListed, isLastTry) : Task.FromResult<LeaseEnd?>(null);

    // It alone: what renewed it, or is the same key that was read again, is in use under a permit of its own.
    private static Credential? Borrowed(Credential credential) => LeaseOwnership.TryBorrow(credential) ? credential : null;

    // What a decision ends. A renewal is of the same grant as what it renewed; a key that was read again was permitted anew.
    private Credential? BorrowDecidedOn(Credential credential) => credential is StaticKey ? Borrowed(credential) : session.Leases.TryBorrowNewest(credential);

    // Null: somebody else has it.
    private async Task<LeaseEnd> EndBorrowedAsync(Credential? borrowed, string reason)
    {
        if (borrowed is null)
            return LeaseEnd.AlreadyGone;
        using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
        LeaseAccount ending = await EndBorrowedAsync(borrowed, reason, isListed: true, isLastTry: false, deadline.Token).ConfigureAwait(false);
        await ending.RecordAsync().ConfigureAwait(false);
        return ending.End;
    }

    // Counted, so that the job's end waits for it; some at a time. Who waits holds nothing: a job that ends meanwhile finds the lease in the set, and ends it in its own order.
    private async Task<LeaseEnd?> EndInTurnAsync(Credential credential, Func<Credential, Credential?> borrow, string reason, bool isListed, bool isLastTry)
    {
        await EndBehindAsync(credential, reason).ConfigureAwait(false);
        bool jobRuns = session.Leases.TakeOff();
        bool hasTurn = false;
        Turns turns = _turns.GetOrAdd(credential.Lease.Owner!, static _ => new Turns(MostAtOnce));
        try
        {
            hasTurn = jobRuns && await turns.TakeAsync(session.Over).ConfigureAwait(false);
            if (!hasTurn || session.Leases.IsClosed || borrow(credential) is not { } borrowed)
                return null;
            using var deadline = new CancellationTokenSource(EndDeadline, session.Plan.Time);
            LeaseAccount ending = await EndBorrowedAsync(borrowed, reason, isListed, isLastTry, deadline.Token).ConfigureAwait(false);
            accounts.RecordInBackground(ending);
            return ending.End;
        }
        finally
        {
            if (hasTurn)
                turns.GiveBack();
            session.Leases.TouchDown();
        }
    }

    private async Task EndAllAsync(IReadOnlyList<Credential> taken, Task behind, string reason, CancellationToken cancellationToken)
    {
        if (taken.Count == 0)
        {
            await behind.ConfigureAwait(false);   // who waits for this target waits for those behind it, too
            return;
        }
        await GiveHeadStartAsync(behind).ConfigureAwait(false);
        await Parallel.ForEachAsync(taken, new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce }, async (credential, noDeadline) =>
        {
            Asked asked = await AskAsync(credential, cancellationToken).ConfigureAwait(false);
            if (asked.End == LeaseEnd.Failed && EndsWith(credential) is not null)
                _unsettled.Enqueue((credential, asked));
            else
                Conclude(credential, reason, asked);
        }).ConfigureAwait(false);
    }

    private void Conclude(Credential credential, string reason, Asked asked)
    {
        LeaseAccount ending = Account(credential, reason, asked, accounts.Outcomes.AddAtTheEnd);
        if (ending.End == LeaseEnd.Failed)
            accounts.GiveUp(credential);
        accounts.RecordInBackground(ending);
    }

    // What fails while the job ends is asked for once more at once: the end takes what was put back when it has waited for all others, and that may be its deadline.
    private async Task<LeaseAccount> EndBorrowedAsync(Credential credential, string reason, bool isListed, bool isLastTry, CancellationToken cancellationToken)
    {
        LeaseAccount ending = await TryToEndAsync(credential, reason, isListed, isLastTry, cancellationToken).ConfigureAwait(false);
        if (ending.End != LeaseEnd.Failed || isLastTry || !session.Leases.IsClosed)
            return ending;
        CancellationToken end = await _end.Task.ConfigureAwait(false);
        if (end.IsCancellationRequested || !LeaseOwnership.TryBorrow(credential))
            return ending;
        return await TryToEndAsync(credential, reason, isListed, isLastTry, end).ConfigureAwait(false);   // its record takes the place of the other
    }

    private async Task<LeaseAccount> TryToEndAsync(Credential credential, string reason, bool isListed, bool isLastTry, CancellationToken cancellationToken)
    {
        _borrowed.TryAdd(credential, true);
        Asked asked = await AskAsync(credential, cancellationToken).ConfigureAwait(false);
        await _listing.TakeAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            return Settle(credential, reason, asked, isListed, isLastTry, isReported: !_borrowed.TryRemove(credential, out _));
        }
        finally
        {
            _listing.GiveBack();
        }
    }

    private LeaseAccount Settle(Credential credential, string reason, Asked asked, bool isListed, bool isLastTry, bool isReported)
    {
        LeaseOutcome? outcome = null;
        LeaseAccount ending = Account(credential, reason, asked, one => outcome = one);
        if (ending.End == LeaseEnd.Failed && !isLastTry && session.Leases.PutBack(credential))
            return ending;   // the job's end, or a later try, tells how it ended
        LeaseOwnership.Keep(credential);
        if (ending.End == LeaseEnd.Failed)
            accounts.GiveUp(credential);
        if (!isReported && (isListed || session.Leases.IsClosed || ending.End is LeaseEnd.CannotBeRevoked or LeaseEnd.Failed))   // what comes back while the job ends is of its end
            accounts.Outcomes.AddBefore(outcome!);
        return ending;
    }
}
