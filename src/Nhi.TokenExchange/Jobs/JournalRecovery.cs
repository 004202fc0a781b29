namespace Nhi.TokenExchange;

/// <summary>Deals with what jobs left behind that were killed, journal by journal; what it could not deal with is in its report.</summary>
/// <param name="session">Whose targets are asked, and whose audit and log are told.</param>
/// <param name="folder">Where the journals are; null: there are none.</param>
/// <param name="fromOtherHosts">Whether journals of other hosts are taken, too: somebody has seen to it that those run no more.</param>
#pragma warning disable CA1001 // The source is cancelled at the job's end and never disposed: it has no timer.
internal sealed class JournalRecovery(JobSession session, JournalFolder? folder, bool fromOtherHosts)
#pragma warning restore CA1001
{
    // Each is an open file. An issuer that hangs holds up those that wait for its journals to be done: by one deadline in all.
    private const int MostAtOnce = 64;

    // A draft is written in a moment. One that is old is of a process that was killed then, and holds nothing that no journal does.
    private static readonly TimeSpan OldestDraft = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _jobIsShut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly OwnWork _own = new();
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

    /// <summary>Whether something is left that only credentials of the job can end, or may be: no journal is known before it is read.</summary>
    public bool WantsHeadStart =>
        !Report.IsCompleted && !_own.Done.IsCompleted && session.Targets.Any(target => target.Plan.Through is not null || target.Plan.Exchanger.EndsByOwn);

    /// <summary>The job is done, and nothing of it is ended yet: waits for what only credentials of the job can end, such as a secret of Vault. A job that is shut gives none.</summary>
    /// <param name="most">The longest wait; none where nothing of that is left.</param>
    /// <returns>How long it waited.</returns>
    public async Task<TimeSpan> GiveHeadStartAsync(TimeSpan most)
    {
        if (!WantsHeadStart)
            return TimeSpan.Zero;
        TimeProvider time = session.Plan.Time;
        long began = time.GetTimestamp();
        using var limit = new CancellationTokenSource(most, time);
        await Task.WhenAny(Report, _own.Done, _jobIsShut.Task).IsDoneBeforeAsync(limit.Token).ConfigureAwait(false);
        return time.GetElapsedTime(began);
    }

    /// <summary>The job gives no credential any more.</summary>
    public void NoteShut() => _jobIsShut.TrySetResult();

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
        RecoveryReport report;
        using OwnWork.Piece unlisted = _own.Begin();
        try
        {
            report = await RecoverAsync([.. folder!.Files().Where(path => path != session.Journal?.Path)], unlisted).ConfigureAwait(false);
        }
        catch (Exception failed)   // the job goes on, and the next start tries again
        {
            report = new RecoveryReport([], [Refuse(NotRecovered($"The journals in '{ExceptionText.Clean(folder!.Path, 200)}' could not be listed ({Said(failed)}). What they name may live on.", failed))]);
        }
        if (!report.AllEnded)
            session.Plan.Logger.RecoveryIncomplete(session.Context, report.ToLine());
        else if (report.Jobs.Count > 0)
            session.Plan.Logger.RecoveryCompleted(session.Context, report.ToLine());
        _report.SetResult(report);
    }

    private async Task<RecoveryReport> RecoverAsync(string[] journals, OwnWork.Piece unlisted)
    {
        var lanes = new RecoveryLanes(session, _own, _stop.Token);
        var turns = new Turns(MostAtOnce);
        Task<Recovered>[] begun = [.. journals.Select(path => RecoverInTurnAsync(path, turns, lanes))];
        unlisted.Dispose();   // each has its own piece by now
        Recovered[] all = await Task.WhenAll(begun).ConfigureAwait(false);
        DeleteDrafts();
        List<TokenExchangeException> refused = [.. all.Select(one => one.Refused).OfType<TokenExchangeException>()];
        // What is held is of a job that lives, or somebody else recovers it.
        if (journals.Where((path, i) => !all[i].IsReached && !JournalFile.IsHeld(folder!, path)).Count() is > 0 and int left)
            refused.Add(Refuse(NotRecovered($"{left} journal(s) in '{ExceptionText.Clean(folder!.Path, 200)}' were not looked at before this recovery was stopped. What they name may live on.")));
        return new RecoveryReport([.. all.Select(one => one.Job).OfType<JobReport>()], refused);
    }

    private async Task<Recovered> RecoverInTurnAsync(string path, Turns turns, RecoveryLanes lanes)
    {
        using OwnWork.Piece unread = _own.Begin();
        if (!await turns.TakeAsync(_stop.Token).ConfigureAwait(false))
            return Recovered.NotReached;
        try
        {
            return _stop.IsCancellationRequested ? Recovered.NotReached : await RecoverAsync(path, lanes, unread).ConfigureAwait(false);
        }
        finally
        {
            turns.GiveBack();
        }
    }

    private async Task<Recovered> RecoverAsync(string path, RecoveryLanes lanes, OwnWork.Piece unread)
    {
        JobReport? report = null;
        try
        {
            using JournalFile? file = JournalFile.TryOpen(folder!, path);
            if (file is null)
                return new Recovered(null, null);
            JournalContent content = JournalContent.Read(file);
            RequireDead(path, content);
            file.CutTo(content.WholeLength);
            if (content.Open.Count > 0)
                report = await new LeftJournal(session, file, content, lanes, unread).RecoverAsync().ConfigureAwait(false);
            if (content.Flaws is { } flaws)
                throw JournalContent.Unreadable(path, flaws, "What could be read in it was dealt with.");
            if (content.Open.Count == 0)
                Delete(file);
            return new Recovered(report, null);
        }
        catch (TokenExchangeException refusal)
        {
            return new Recovered(report, Refuse(refusal));
        }
        catch (Exception failed)   // whatever it was, the others are dealt with, and this one is told of
        {
            return new Recovered(report, Refuse(NotRecovered($"The journal '{ExceptionText.Clean(path, 200)}' could not be recovered ({Said(failed)}). What it names may live on.", failed)));
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
        if (!content.IsClosed && owner.Runs && (owner != ProcessIdentity.Current || OwnJournal.IsWritten(path)))
        {
            throw new TokenExchangeException(ErrorCodes.JournalUnsafe, ExchangeStage.Revoke, $"The journal '{shown}' is of {owner}, which runs, and yet it is not locked. Nothing of it was revoked.")
            {
                Hint = "Put the journals on a file system whose locks hold, such as a local one.",
            };
        }
    }

    // One that stays has nothing left in it: the next recovery takes it away.
    private void Delete(JournalFile file)
    {
        try
        {
            file.Delete();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(file.Path, 200), failed.GetType().Name);
        }
    }

    private void DeleteDrafts()
    {
        try
        {
            folder!.DeleteDrafts(session.Clock.Now - OldestDraft);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            session.Plan.Logger.JournalFailed(session.Context, ExceptionText.Clean(folder!.Path, 200), failed.GetType().Name);
        }
    }

    private TokenExchangeException Refuse(TokenExchangeException refusal)
    {
        session.Plan.Logger.JournalRefused(session.Context, refusal.Message);
        return refusal;
    }

    private static TokenExchangeException NotRecovered(string what, Exception? inner = null) => new(ErrorCodes.JournalNotRecovered, ExchangeStage.Revoke, what, inner)
    {
        Hint = "Look at the disk of the journals, if it failed. The next start of the job tries again; at once JobSession.RecoverAsync or nhi leases recover does.",
    };

    private static string Said(Exception failed) => failed is IOException or UnauthorizedAccessException ? $"{failed.GetType().Name}: {ExceptionText.Clean(failed.Message, 200)}" : failed.GetType().Name;

    /// <summary>What came of one journal.</summary>
    /// <param name="Job">What became of its credentials; null: it holds none, or is not ours to recover.</param>
    /// <param name="Refused">Why not all of it was dealt with.</param>
    /// <param name="IsReached">Whether it was looked at.</param>
    private readonly record struct Recovered(JobReport? Job, TokenExchangeException? Refused, bool IsReached = true)
    {
        public static Recovered NotReached => new(null, null, IsReached: false);
    }
}
