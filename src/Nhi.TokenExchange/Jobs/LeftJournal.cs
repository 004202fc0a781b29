using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>The journal of a job that was killed, open and locked by the one that recovers it: revokes what has a handle, accounts for the rest, and writes down each that is dealt with.</summary>
/// <param name="session">Whose audit is told.</param>
/// <param name="file">The journal.</param>
/// <param name="content">What stands in it; what is over is taken out.</param>
/// <param name="lanes">Where issuers are asked.</param>
/// <param name="unread">Over when it is known what of it needs credentials of the job.</param>
internal sealed class LeftJournal(JobSession session, JournalFile file, JournalContent content, RecoveryLanes lanes, OwnWork.Piece unread)
{
    // Vault's longest lease, unless its operator allows more. What a lost renewal gave, and nobody is declared to be asked about, has died by then.
    private static readonly TimeSpan LongestAfterAnUncertainEnd = TimeSpan.FromDays(32);

    // A machine whose clock leaps farther ahead than this before it is set by the network is looked at by somebody.
    private static readonly TimeSpan LongestLeap = TimeSpan.FromDays(1);

    private readonly ConcurrentQueue<LeaseOutcome> _outcomes = new();
    // Who has it writes to the file, and changes what is open.
    private readonly Turns _writing = new(1);
    private int _untold;

    private string? Revision => session.Plan.PolicyRevision;

    /// <summary>Does it.</summary>
    /// <remarks>
    /// All targets at once; of one the longest-lived first. A target that others go through waits for those, as an issuer may want the credential that it was got with to end another: they come to their end, or their issuer is asked no more.
    /// A recoverer that is killed leaves the rest to the next.
    /// </remarks>
    public async Task<JobReport> RecoverAsync()
    {
        string leftBy = LeftBy();
        int inTheAir = content.Open.Values.Count(entry => entry.IsUnknown);
        ILookup<RecoveryLane, JournalEntry> byLane = content.Open.Values.ToLookup(lanes.Of);
        var ends = new Dictionary<TargetRuntime, Task>();
        foreach (RecoveryLane lane in lanes.ChildrenFirst)
        {
            Task behind = Task.WhenAll(ends.Where(end => end.Key.Plan.Through == lane.Target!.Target).Select(end => end.Value));
            ends.Add(lane.Target!, SettleAllAsync(lane, byLane[lane], behind));
        }
        unread.Dispose();
        await Task.WhenAll(ends.Values.Append(SettleAllAsync(lanes.OfNoTarget, byLane[lanes.OfNoTarget], Task.CompletedTask))).ConfigureAwait(false);
        return new JobReport(content.Header.Job, [.. _outcomes.OrderBy(outcome => outcome.Target, StringComparer.Ordinal).ThenBy(outcome => outcome.DiesAt)], inTheAir) { Untold = _untold, LeftBy = leftBy };
    }

    // Two runs of one job may say the same of themselves; the audit knows them by their sessions.
    private string LeftBy()
    {
        JournalHeader header = content.Header;
        string session = content.Open.Values.FirstOrDefault() is { } entry ? $"session {FlightNumbers.SessionOf(entry.FlightId):D}, " : "";
        return string.Create(CultureInfo.InvariantCulture, $" ({session}process {header.Process.Id}, started {header.StartedAt.UtcDateTime:u}, {(content.IsClosed ? "ended and left this" : "was killed")})");
    }

    private async Task SettleAllAsync(RecoveryLane lane, IEnumerable<JournalEntry> entries, Task behind)
    {
        using OwnWork.Piece? own = lane.AsksWithOwn && entries.Any() ? lanes.Own.Begin() : null;
        await behind.ConfigureAwait(false);
        await lane.ForEachAsync(entries.OrderByDescending(entry => entry.DiesAt), entry => SettleAndNoteAsync(lane, entry)).ConfigureAwait(false);
    }

    private async Task SettleAndNoteAsync(RecoveryLane lane, JournalEntry entry)
    {
        Settled settled;
        try
        {
            settled = await SettleAsync(lane, entry).ConfigureAwait(false);
        }
        catch (Exception failed)   // whatever it was, it stays and is told of, and the others go on
        {
            List(entry, LeaseEnd.Failed, $"its recovery failed with {failed.GetType().Name}; the next one tries again");
            return;
        }
        await _writing.TakeAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            if (settled.IsOver)
                content.Open.Remove(entry.Number);
            if (settled.IsUntold)
                _untold++;
            Append(settled.Line);
        }
        finally
        {
            _writing.GiveBack();
        }
    }

    // A full disk keeps nobody from revoking; what is asked for once more is gone then.
    private void Append(byte[] line)
    {
        try
        {
            file.Append(line, flush: false);
        }
        catch (IOException failed)
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(file.Path, 200), failed.GetType().Name);
        }
    }

    private async Task<Settled> SettleAsync(RecoveryLane lane, JournalEntry entry)
    {
        StaticKeyUse? staticKey = lane.Target?.Plan.Exchanger.StaticKey;
        if (entry.Untold is { } before)
            return await TellAsync(entry, before, staticKey).ConfigureAwait(false);
        if (lane.Stop.IsCancellationRequested)
            return Leave(entry);
        if (entry.IsUnknown)
        {
            return await IsToldAsync("the job was killed while this exchange was in the air; if a credential came of it, nobody has it, and it dies by itself").ConfigureAwait(false) ? Settled.Over(entry, LeaseEnd.CannotBeRevoked) : Settled.Untold();
        }
        // What has no handle, and could not be ended by a job that ended in order: there is nobody left to ask. In an older journal it may be what the audit did not take.
        if (content.IsClosed && entry is { Handle: null, IsStatic: false })
        {
            string said = content.Header.KnowsUntold ? "its job ended, and could not have its issuer end it; nobody has it any more, and it dies by itself"
                : "its job ended in order and told its log and its report how this ended; the audit did not take it then";
            List(entry, LeaseEnd.CannotBeRevoked, said);
            return await IsToldAsync(said).ConfigureAwait(false) ? Settled.Over(entry, LeaseEnd.CannotBeRevoked) : Settled.Untold();
        }
        (LeaseEnd end, string? failure, ActivityContext trace) = await AskAsync(lane, entry).ConfigureAwait(false);
        // By one hand of the clock only, that of the wall: the other did not outlive the process. So the issuer was asked all the same, and what could not be ended stays while that hand may be wrong.
        if (end is LeaseEnd.Failed or LeaseEnd.CannotBeRevoked && !entry.EndIsUncertain && HasBeenDeadFor(entry, end == LeaseEnd.Failed ? LongestLeap : TimeSpan.Zero))
            (end, failure) = (LeaseEnd.AlreadyGone, null);
        if (failure is not null && entry.EndIsUncertain)
            failure += LeaseAccounts.Uncertain;
        // A job that ends gives its hops' credentials to nobody any more, and ends them.
        if (end == LeaseEnd.Failed && (lane.Stop.IsCancellationRequested || session.Leases.IsClosed))
            return Leave(entry);
        List(entry, end, failure);
        AuditMoment when = session.Moment;
        string reason = $"recovered from the journal of a job that {(content.IsClosed ? "ended and left it" : "was killed")}{(failure is null ? "" : $"; {failure}")}";
        Task<bool> recording = lane.Target is { } target ? target.Activities.RecordAsync(trace, RecordAsync) : RecordAsync();
        bool isRecorded = await recording.ConfigureAwait(false);
        if (end == LeaseEnd.Failed)   // it stays, and is told of again
            return isRecorded ? Settled.Left : Settled.Untold();
        return isRecorded ? Settled.Over(entry, end) : Settled.Untold(content.Header.KnowsUntold ? JournalText.OfUntold(entry.Number, new JournalUntold(end, when.At, reason)) : null);   // else its issuer is asked again

        Task<bool> RecordAsync() => session.Audit.TryRecordAsync(() => entry.ToEvent(
            LeaseAccounts.KindOf(end), when, content.Header.Job, Revision, reason, end == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null, staticKey));

        Task<bool> IsToldAsync(string what) => session.Audit.TryRecordAsync(() => entry.ToEvent(AuditEventKind.Recovered, session.Moment, content.Header.Job, Revision, what, staticKey: staticKey));
    }

    // It ended, and the audit did not take that: nobody is asked any more. Also one that stops tells it, for that takes two seconds at most.
    private async Task<Settled> TellAsync(JournalEntry entry, JournalUntold before, StaticKeyUse? staticKey)
    {
        List(entry, before.End, before.Reason);
        string reason = string.Create(CultureInfo.InvariantCulture, $"{before.Reason ?? "it died of age"}; that was so at {before.At.UtcDateTime:u}, and is told late, for the audit did not take it then");
        bool isRecorded = await session.Audit.TryRecordAsync(() => entry.ToEvent(
            LeaseAccounts.KindOf(before.End), session.Moment, content.Header.Job, Revision, reason, before.End == LeaseEnd.Failed ? ErrorCodes.RevocationFailed : null, staticKey)).ConfigureAwait(false);
        return isRecorded ? Settled.Over(entry, before.End) : Settled.Untold();
    }

    // Not this one's to tell.
    private Settled Leave(JournalEntry entry)
    {
        if (!entry.IsUnknown)
            List(entry, LeaseEnd.Failed, "this recovery was cut off; the next one goes on");
        return Settled.Left;
    }

    private async Task<RevocationAnswer> AskAsync(RecoveryLane lane, JournalEntry entry)
    {
        if (entry.IsStatic)
            return new(LeaseEnd.LivesOn, lane.Target?.Plan.Exchanger.StaticKey is { } key ? RevocationAttempts.SaidOf(key) : "a static key: its owner alone ends it");
        if (entry.Handle is null)
            return new(LeaseEnd.CannotBeRevoked, "the journal has no handle by which its issuer could end it, and the credential itself was lost when its process was killed");
        if (lane.Target is not null)
            return await lane.AskAsync(entry.Handle).ConfigureAwait(false);
        string of = $"'{ExceptionText.Clean(entry.Target)}' with issuer {ExceptionText.Clean(entry.Issuer, 200)}";
        return entry.EndIsUncertain && HasBeenDeadFor(entry, LongestAfterAnUncertainEnd)
            ? new(LeaseEnd.CannotBeRevoked, $"no target {of} was declared for {LongestAfterAnUncertainEnd.TotalDays:0} days after its end")
            : new(LeaseEnd.Failed, $"declare the target {of} to have it revoked");
    }

    // An end may be the last instant that there is: nothing is added to it.
    private bool HasBeenDeadFor(JournalEntry entry, TimeSpan time) => session.Clock.Now - entry.DiesAt >= time;

    private void List(JournalEntry entry, LeaseEnd end, string? reason) =>
        _outcomes.Enqueue(new LeaseOutcome(entry.Target, entry.Fingerprint ?? "", end, entry.UnusableFrom, entry.DiesAt, reason, entry.Handle));

    /// <summary>What became of an entry.</summary>
    /// <param name="IsOver">Whether nothing is left to do about it; else it stays in the journal.</param>
    /// <param name="IsUntold">Whether the audit did not take it.</param>
    /// <param name="Line">What the journal is told.</param>
    private readonly record struct Settled(bool IsOver, bool IsUntold, byte[] Line)
    {
        /// <summary>It could not be ended, or was not tried.</summary>
        public static Settled Left => new(false, false, []);

        public static Settled Over(JournalEntry entry, LeaseEnd end) => new(true, false, JournalText.OfEnd(entry.Number, end.ToString()));

        /// <param name="line">How it ended just now; null: nothing new is known of it.</param>
        public static Settled Untold(byte[]? line = null) => new(false, true, line ?? []);
    }
}
