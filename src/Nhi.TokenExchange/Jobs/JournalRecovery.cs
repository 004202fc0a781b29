using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Deals with what jobs left behind that were killed: revokes what has a handle, accounts for the rest, and writes into their journals that it did.</summary>
/// <param name="session">Whose targets are asked, and whose audit and log are told.</param>
/// <param name="folder">Where the journals are; null: there are none.</param>
/// <param name="fromOtherHosts">Whether journals of other hosts are taken, too: somebody has seen to it that those run no more.</param>
#pragma warning disable CA1001 // The source is cancelled at the job's end and never disposed: it has no timer.
internal sealed class JournalRecovery(JobSession session, JournalFolder? folder, bool fromOtherHosts)
#pragma warning restore CA1001
{
    private const int MostAtOnce = 16;

    // A draft is written in a moment. One that is old is of a process that was killed then, and holds nothing that no journal does.
    private static readonly TimeSpan OldestDraft = TimeSpan.FromHours(1);

    // Of one revocation with its retries.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    // Vault's longest lease, unless its operator allows more. What a lost renewal gave, and nobody is declared to be asked about, has died by then.
    private static readonly TimeSpan LongestAfterAnUncertainEnd = TimeSpan.FromDays(32);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<RecoveryReport> _report = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was done; never fails. From then on nothing is in use here.</summary>
    public Task<RecoveryReport> Report => _report.Task;

    /// <summary>Begins, beside the job.</summary>
    public void Start()
    {
        if (folder is null)
        {
            _report.SetResult(new RecoveryReport([], []));
            return;
        }
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _ = Task.Run(RunAsync);
    }

    /// <summary>Lets it come to its end; at the deadline it stops where it is, and leaves the rest to the next.</summary>
    public async Task StopAsync(CancellationToken deadline)
    {
        if (await _report.Task.IsDoneBeforeAsync(deadline).ConfigureAwait(false))
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Does it, and stops where it is when that is cancelled.</summary>
    public async Task<RecoveryReport> RunAsync(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration stop = cancellationToken.UnsafeRegister(source => ((CancellationTokenSource)source!).Cancel(), _stop);
        await Task.Run(RunAsync, CancellationToken.None).ConfigureAwait(false);
        return await Report.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var jobs = new List<JobReport>();
        var refused = new List<TokenExchangeException>();
        try
        {
            foreach (string path in folder!.Files())
            {
                if (_stop.IsCancellationRequested)
                    break;
                await RecoverAsync(path, jobs, refused).ConfigureAwait(false);
            }
            folder.DeleteDrafts(session.Clock.Now - OldestDraft);
        }
        catch (Exception failed)   // a folder that can't be listed, a disk that fails: the job goes on, and the next start tries again
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(folder!.Path, 200), failed.GetType().Name);
        }
        var report = new RecoveryReport(jobs, refused);
        if (jobs.Count > 0 && report.AllEnded)
            session.Plan.Logger.RecoveryCompleted(session.Context, report.ToString());
        else if (!report.AllEnded)
            session.Plan.Logger.RecoveryIncomplete(session.Context, report.ToString());
        _report.SetResult(report);
    }

    private async Task RecoverAsync(string path, List<JobReport> jobs, List<TokenExchangeException> refused)
    {
        try
        {
            using JournalFile? file = JournalFile.TryOpen(folder!, path);
            if (file is null)
                return;
            JournalContent content = JournalContent.Read(file);
            RequireDead(path, content);
            file.CutTo(content.WholeLength);
            int entries = content.Open.Count;
            JobReport report = await RecoverAsync(file, content).ConfigureAwait(false);
            if (entries > 0)
                jobs.Add(report);
            if (content.Flaws is { } flaws)
                throw JournalContent.Unreadable(path, flaws, "What could be read in it was dealt with.");
            if (content.Open.Count == 0)
                file.Delete();
        }
        catch (IOException failed)
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(path, 200), failed.GetType().Name);
        }
        catch (TokenExchangeException refusal)
        {
            session.Plan.Logger.JournalRefused(session.Context, refusal.Message);
            refused.Add(refusal);
        }
    }

    private void RequireDead(string path, JournalContent content)
    {
        ProcessIdentity owner = content.Header.Process;
        string shown = ExceptionText.Clean(path, 200);
        if (!owner.IsOfThisHost && !fromOtherHosts)
        {
            throw new TokenExchangeException(ErrorCodes.JournalOfAnotherHost, ExchangeStage.Revoke, $"The journal '{shown}' is of {owner}; this is host '{ExceptionText.Clean(ProcessIdentity.Current.Host)}', which can't see whether that one runs. Nothing of it was revoked.")
            {
                Hint = "Recover it there. If that host is gone, call JobSession.RecoverAsync with fromOtherHosts.",
            };
        }
        // It can be locked, so it should be dead; but a lock that does not hold must not end a living job's credentials.
        if (!content.IsClosed && owner.Runs)
        {
            throw new TokenExchangeException(ErrorCodes.JournalUnsafe, ExchangeStage.Revoke, $"The journal '{shown}' is of {owner}, which runs, and yet it is not locked. Nothing of it was revoked.")
            {
                Hint = "Put the journals on a file system whose locks hold, such as a local one.",
            };
        }
    }

    private async Task<JobReport> RecoverAsync(JournalFile file, JournalContent content)
    {
        var outcomes = new ConcurrentQueue<LeaseOutcome>();
        var done = new ConcurrentQueue<(long Number, LeaseEnd End)>();
        int inTheAir = content.Open.Values.Count(entry => entry.IsUnknown);
        // As at a job's end: children before their parents, the longest-lived first. Some at a time, and then written down: a recoverer that is killed leaves the rest to the next.
        List<string> hops = [.. session.Targets.Select(target => target.Target)];
        foreach (JournalEntry[] some in content.Open.Values.OrderByDescending(entry => hops.IndexOf(entry.Target)).ThenByDescending(entry => entry.DiesAt).Chunk(MostAtOnce))
        {
            await Task.WhenAll(some.Select(async entry =>
            {
                if (await SettleAsync(content, entry, outcomes).ConfigureAwait(false) is { } end)
                    done.Enqueue((entry.Number, end));
            })).ConfigureAwait(false);
            using var ends = new MemoryStream();
            while (done.TryDequeue(out (long Number, LeaseEnd End) one))
            {
                content.Open.Remove(one.Number);
                ends.Write(JournalText.OfEnd(one.Number, one.End.ToString()));
            }
            Append(file, ends.ToArray());
        }
        return new JobReport(content.Header.Job, [.. outcomes.OrderBy(outcome => outcome.Target, StringComparer.Ordinal).ThenBy(outcome => outcome.DiesAt)], inTheAir);
    }

    // A full disk keeps nobody from revoking; what is asked for once more is gone then.
    private void Append(JournalFile file, byte[] ends)
    {
        try
        {
            file.Append(ends, flush: false);
        }
        catch (IOException failed)
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(file.Path, 200), failed.GetType().Name);
        }
    }

    /// <returns>How it ended; null if it stays in the journal: it could not be ended, or the audit did not take how it ended.</returns>
    private async Task<LeaseEnd?> SettleAsync(JournalContent journal, JournalEntry entry, ConcurrentQueue<LeaseOutcome> outcomes)
    {
        if (_stop.IsCancellationRequested)
            return Leave(entry, outcomes);
        TargetRuntime? target = session.Targets.FirstOrDefault(one => one.Target == entry.Target && one.Plan.Exchanger.Issuer.AbsoluteUri == entry.Issuer);
        StaticKeyUse? staticKey = target?.Plan.Exchanger.StaticKey;
        if (entry.IsUnknown)
        {
            return await IsToldAsync("the job was killed while this exchange was in the air; if a credential came of it, nobody has it, and it dies by itself").ConfigureAwait(false) ? LeaseEnd.CannotBeRevoked : null;
        }
        // A job that ends in order strikes off what has no handle once the audit has taken how it ended. There is nobody left to ask.
        if (journal.IsClosed && entry is { Handle: null, IsStatic: false })
        {
            const string Untold = "its job ended in order and told its log and its report how this ended; the audit did not take it then";
            outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", LeaseEnd.CannotBeRevoked, entry.UnusableFrom, entry.DiesAt, Untold, null));
            return await IsToldAsync(Untold).ConfigureAwait(false) ? LeaseEnd.CannotBeRevoked : null;
        }
        (LeaseEnd end, string? failure) = await AskAsync(entry, target).ConfigureAwait(false);
        // By one hand of the clock only, that of the wall: the other did not outlive the process. So the issuer was asked all the same.
        if (end is LeaseEnd.Failed or LeaseEnd.CannotBeRevoked && !entry.EndIsUncertain && entry.DiesAt <= session.Clock.Now)
            (end, failure) = (LeaseEnd.AlreadyGone, null);
        if (failure is not null && entry.EndIsUncertain)
            failure += LeaseAccounts.Uncertain;
        // A job that ends gives its hops' credentials to nobody any more, and ends them.
        if (end == LeaseEnd.Failed && (_stop.IsCancellationRequested || session.Leases.IsClosed))
            return Leave(entry, outcomes);
        outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", end, entry.UnusableFrom, entry.DiesAt, failure, entry.Handle));
        AuditEventKind kind = end is LeaseEnd.Revoked ? AuditEventKind.Revoked : end is LeaseEnd.AlreadyGone ? AuditEventKind.Expired : AuditEventKind.Orphaned;
        string reason = $"recovered from the journal of a job that {(journal.IsClosed ? "ended and left it" : "was killed")}{(failure is null ? "" : $"; {failure}")}";
        bool isRecorded = await session.Audit.TryRecordAsync(() => entry.ToEvent(
            kind, session.Moment, journal.Header.Job, session.Plan.PolicyRevision, reason, end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null, staticKey)).ConfigureAwait(false);
        return end == LeaseEnd.Failed || !isRecorded ? null : end;

        Task<bool> IsToldAsync(string what) => session.Audit.TryRecordAsync(() => entry.ToEvent(AuditEventKind.Recovered, session.Moment, journal.Header.Job, session.Plan.PolicyRevision, what, staticKey: staticKey));
    }

    // Not this one's to tell.
    private static LeaseEnd? Leave(JournalEntry entry, ConcurrentQueue<LeaseOutcome> outcomes)
    {
        if (!entry.IsUnknown)
            outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", LeaseEnd.Failed, entry.UnusableFrom, entry.DiesAt, "this recovery was cut off; the next one goes on", entry.Handle));
        return null;
    }

    private async Task<(LeaseEnd End, string? Failure)> AskAsync(JournalEntry entry, TargetRuntime? target)
    {
        if (entry.IsStatic)
            return (LeaseEnd.LivesOn, target?.Plan.Exchanger.StaticKey is { } key ? RevocationAttempts.SaidOf(key) : "a static key: its owner alone ends it");
        if (entry.Handle is null)
            return (LeaseEnd.CannotBeRevoked, "it went with its process, and without it nothing ends it before its time");
        if (target is null && entry.EndIsUncertain && entry.DiesAt + LongestAfterAnUncertainEnd <= session.Clock.Now)
            return (LeaseEnd.CannotBeRevoked, $"no target '{ExceptionText.Clean(entry.Target)}' with issuer {ExceptionText.Clean(entry.Issuer, 200)} was declared for {LongestAfterAnUncertainEnd.TotalDays:0} days after its end");
        if (target is null)
            return (LeaseEnd.Failed, $"declare the target '{ExceptionText.Clean(entry.Target)}' with issuer {ExceptionText.Clean(entry.Issuer, 200)} to have it revoked");
        using var deadline = new CancellationTokenSource(Deadline, session.Plan.Time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, _stop.Token);
        (LeaseEnd End, string? Failure) asked = await target.Activities.RunAsync(() => new RevocationAttempts(target, session.Plan.Time).RunAsync(
            cancellation => target.RevokeAsync(entry.Handle, cancellation), () => false, bounded.Token)).ConfigureAwait(false);
        target.Measurements.Ended(asked.End);
        return asked;
    }
}
