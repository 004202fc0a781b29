using System.Collections.Concurrent;
using System.Globalization;

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

    // A machine whose clock leaps farther ahead than this before it is set by the network is looked at by somebody.
    private static readonly TimeSpan LongestLeap = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<RecoveryReport> _report = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What was done; never fails. From then on nothing is in use here.</summary>
    public Task<RecoveryReport> Report => _report.Task;

    private string? Revision => session.Plan.PolicyRevision;

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
        int untold = 0;
        int inTheAir = content.Open.Values.Count(entry => entry.IsUnknown);
        // As at a job's end: children before their parents, the longest-lived first. Some at a time, and then written down: a recoverer that is killed leaves the rest to the next.
        List<string> hops = [.. session.Targets.Select(target => target.Target)];
        foreach (JournalEntry[] some in content.Open.Values.OrderByDescending(entry => hops.IndexOf(entry.Target)).ThenByDescending(entry => entry.DiesAt).Chunk(MostAtOnce))
        {
            Settled[] settled = await Task.WhenAll(some.Select(entry => SettleAsync(content, entry, outcomes))).ConfigureAwait(false);
            foreach (Settled one in settled.Where(one => one.IsOver))
                content.Open.Remove(one.Number);
            untold += settled.Count(one => one.IsUntold);
            Append(file, [.. settled.SelectMany(one => one.Line)]);
        }
        return new JobReport(content.Header.Job, [.. outcomes.OrderBy(outcome => outcome.Target, StringComparer.Ordinal).ThenBy(outcome => outcome.DiesAt)], inTheAir) { Untold = untold };
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

    private async Task<Settled> SettleAsync(JournalContent journal, JournalEntry entry, ConcurrentQueue<LeaseOutcome> outcomes)
    {
        if (entry.Untold is { } before)
            return await TellAsync(journal, entry, before, outcomes).ConfigureAwait(false);
        if (_stop.IsCancellationRequested)
            return Leave(entry, outcomes);
        TargetRuntime? target = TargetOf(entry);
        StaticKeyUse? staticKey = target?.Plan.Exchanger.StaticKey;
        if (entry.IsUnknown)
        {
            return await IsToldAsync("the job was killed while this exchange was in the air; if a credential came of it, nobody has it, and it dies by itself").ConfigureAwait(false) ? Settled.Over(entry, LeaseEnd.CannotBeRevoked) : Settled.Untold(entry);
        }
        // A job that ends in order strikes off what has no handle once the audit has taken how it ended. There is nobody left to ask.
        if (journal.IsClosed && entry is { Handle: null, IsStatic: false })
        {
            const string Untold = "its job ended in order and told its log and its report how this ended; the audit did not take it then";
            outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", LeaseEnd.CannotBeRevoked, entry.UnusableFrom, entry.DiesAt, Untold, null));
            return await IsToldAsync(Untold).ConfigureAwait(false) ? Settled.Over(entry, LeaseEnd.CannotBeRevoked) : Settled.Untold(entry);
        }
        (LeaseEnd end, string? failure) = await AskAsync(entry, target).ConfigureAwait(false);
        // By one hand of the clock only, that of the wall: the other did not outlive the process. So the issuer was asked all the same, and what could not be ended stays while that hand may be wrong.
        if (end is LeaseEnd.Failed or LeaseEnd.CannotBeRevoked && !entry.EndIsUncertain && entry.DiesAt + (end == LeaseEnd.Failed ? LongestLeap : TimeSpan.Zero) <= session.Clock.Now)
            (end, failure) = (LeaseEnd.AlreadyGone, null);
        if (failure is not null && entry.EndIsUncertain)
            failure += LeaseAccounts.Uncertain;
        // A job that ends gives its hops' credentials to nobody any more, and ends them.
        if (end == LeaseEnd.Failed && (_stop.IsCancellationRequested || session.Leases.IsClosed))
            return Leave(entry, outcomes);
        outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", end, entry.UnusableFrom, entry.DiesAt, failure, entry.Handle));
        AuditMoment when = session.Moment;
        string reason = $"recovered from the journal of a job that {(journal.IsClosed ? "ended and left it" : "was killed")}{(failure is null ? "" : $"; {failure}")}";
        bool isRecorded = await session.Audit.TryRecordAsync(() => entry.ToEvent(
            LeaseAccounts.KindOf(end), when, journal.Header.Job, Revision, reason, end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null, staticKey)).ConfigureAwait(false);
        if (end == LeaseEnd.Failed)   // it stays, and is told of again
            return isRecorded ? Settled.Left(entry) : Settled.Untold(entry);
        return isRecorded ? Settled.Over(entry, end) : Settled.Untold(entry, journal.Header.KnowsUntold ? new JournalUntold(end, when.At, reason) : null);   // else its issuer is asked again

        Task<bool> IsToldAsync(string what) => session.Audit.TryRecordAsync(() => entry.ToEvent(AuditEventKind.Recovered, session.Moment, journal.Header.Job, Revision, what, staticKey: staticKey));
    }

    // It ended, and the audit did not take that: nobody is asked any more. Also one that stops tells it, for that takes two seconds at most.
    private async Task<Settled> TellAsync(JournalContent journal, JournalEntry entry, JournalUntold before, ConcurrentQueue<LeaseOutcome> outcomes)
    {
        outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", before.End, entry.UnusableFrom, entry.DiesAt, before.Reason, entry.Handle));
        string reason = string.Create(CultureInfo.InvariantCulture, $"{before.Reason ?? "it died of age"}; that was so at {before.At.UtcDateTime:u}, and is told late, for the audit did not take it then");
        bool isRecorded = await session.Audit.TryRecordAsync(() => entry.ToEvent(
            LeaseAccounts.KindOf(before.End), session.Moment, journal.Header.Job, Revision, reason, before.End == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null,
            TargetOf(entry)?.Plan.Exchanger.StaticKey)).ConfigureAwait(false);
        return isRecorded ? Settled.Over(entry, before.End) : Settled.Untold(entry);
    }

    private TargetRuntime? TargetOf(JournalEntry entry) => session.Targets.FirstOrDefault(one => one.Target == entry.Target && one.Plan.Exchanger.Issuer.AbsoluteUri == entry.Issuer);

    // Not this one's to tell.
    private static Settled Leave(JournalEntry entry, ConcurrentQueue<LeaseOutcome> outcomes)
    {
        if (!entry.IsUnknown)
            outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", LeaseEnd.Failed, entry.UnusableFrom, entry.DiesAt, "this recovery was cut off; the next one goes on", entry.Handle));
        return Settled.Left(entry);
    }

    private async Task<(LeaseEnd End, string? Failure)> AskAsync(JournalEntry entry, TargetRuntime? target)
    {
        if (entry.IsStatic)
            return (LeaseEnd.LivesOn, target?.Plan.Exchanger.StaticKey is { } key ? RevocationAttempts.SaidOf(key) : "a static key: its owner alone ends it");
        if (entry.Handle is null)
            return (LeaseEnd.CannotBeRevoked, "the journal has no handle by which its issuer could end it, and the credential itself was lost when its process was killed");
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

    /// <summary>What became of an entry.</summary>
    /// <param name="Number">Its number.</param>
    /// <param name="IsOver">Whether nothing is left to do about it; else it stays in the journal.</param>
    /// <param name="IsUntold">Whether the audit did not take it.</param>
    /// <param name="Line">What the journal is told.</param>
    private readonly record struct Settled(long Number, bool IsOver, bool IsUntold, byte[] Line)
    {
        public static Settled Over(JournalEntry entry, LeaseEnd end) => new(entry.Number, true, false, JournalText.OfEnd(entry.Number, end.ToString()));

        /// <summary>It could not be ended, or was not tried.</summary>
        public static Settled Left(JournalEntry entry) => new(entry.Number, false, false, []);

        /// <param name="entry">The entry.</param>
        /// <param name="anew">How it ended just now; null: nothing new is known of it.</param>
        public static Settled Untold(JournalEntry entry, JournalUntold? anew = null) => new(entry.Number, false, true, anew is null ? [] : JournalText.OfUntold(entry.Number, anew));
    }
}
