namespace Nhi.TokenExchange;

/// <summary>The end of a job, in its order: nothing is handed out any more, credentials are ended, the report is told, what the job used is let go.</summary>
/// <param name="session">The job.</param>
/// <param name="ending">Ends its credentials.</param>
/// <param name="accounts">Tells what became of them.</param>
/// <param name="ended">Tell that it ends: each beside the others, so that a callback that blocks holds up those of its own alone.</param>
/// <param name="abandoned">Tells exchanges in the air that nobody waits any more.</param>
internal sealed class JobEnding(JobSession session, LeaseEnding ending, LeaseAccounts accounts, IReadOnlyList<CancellationTokenSource> ended, CancellationTokenSource abandoned)
{
    // EX_SOFTWARE would say that the program is wrong, 1 says nothing: EX_UNAVAILABLE of sysexits.h, a service was not to be had.
    private const int ExitCode = 69;

    private SessionPlan Plan => session.Plan;

    /// <summary>Ends the job.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="watchers">What may end the job, or is told of changes: over now.</param>
    /// <param name="waited">How much of the time to end it in is over.</param>
    public async Task<JobReport> RunAsync(EndCause cause, IReadOnlyList<IDisposable?> watchers, TimeSpan waited)
    {
        if (cause.IsCutShort)
        {
            Plan.Log.SayLater(log => log.JobCutShort(session.Context, cause.Reason));   // a log that hangs keeps no credential alive
            accounts.NoteCutShort(cause);
        }
        TimeSpan left = Plan.EndWithin > waited ? Plan.EndWithin - waited : TimeSpan.Zero;
        using var deadline = new CancellationTokenSource(left, Plan.Time);
        using var records = new CancellationTokenSource(left + JobAudit.Deadline, Plan.Time);   // what fails at the deadline is recorded, too
        Task told = Task.WhenAll(ended.Select(TellAsync));   // callbacks run beside the ending; what they do can't hold it up

        await ending.EndAllAsync(session.Leases.TakeAll(), cause.Reason, deadline.Token).ConfigureAwait(false);
        if (!await session.Leases.Drained.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false))
            _ = TellAsync(abandoned);
        // What a flight registered that took off before it saw the end (LeaseSet's argument), and what others could not end meanwhile.
        await ending.EndAllAsync(session.Leases.TakeAll(isLast: true), cause.Reason, deadline.Token).ConfigureAwait(false);
        await told.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false);
        await session.Recovery.StopAsync(deadline.Token).ConfigureAwait(false);

        await ending.ListUnansweredAsync().ConfigureAwait(false);
        JobReport report = accounts.Outcomes.Report(session.Context, session.Leases.FlightsInTheAir);
        if (!session.OnlyRecovers || report.Leases.Count > 0 || !report.AllEnded)
            await TellAsync(report, cause).ConfigureAwait(false);
        if (!await accounts.AreRecordedBeforeAsync(records.Token).ConfigureAwait(false))
            await Plan.Log.SayAsync(log => log.EndsNotRecorded(session.Context)).ConfigureAwait(false);
        report.Untold = accounts.Untold;
        Plan.Meter.Remove(session);
        foreach (IDisposable? watcher in watchers)
            watcher?.Dispose();
        Task recorded = EndAuditWhenDrainedAsync(), released = ReleaseWhenDrainedAsync();
        if (report.FlightsInTheAir == 0 && session.Audit.HasEnd && !await recorded.IsDoneBeforeAsync(records.Token).ConfigureAwait(false))
            await Plan.Log.SayAsync(log => log.AuditNotEnded(session.Context)).ConfigureAwait(false);
        report.AuditAnchor = session.Audit.LastAnchor;
        if (report.FlightsInTheAir == 0 && recorded.IsCompletedSuccessfully)
            await session.Audit.ShipAsync().IsDoneBeforeAsync(records.Token).ConfigureAwait(false);
        if (report.FlightsInTheAir == 0)
            await released.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false);
        Plan.Log.SayNoMore();
        return report;
    }

    private Task TellAsync(JobReport report, EndCause cause)
    {
        string told = report.ToLine();   // as it is now: the log may come to it late
        if (report.AllEnded)
            return Plan.Log.SayAsync(log => log.JobCompleted(session.Context, cause.Shown, told));
        if (Plan.FailOnUnrevoked && Environment.ExitCode == 0)
            Environment.ExitCode = ExitCode;
        return Plan.Log.SayAsync(log => log.JobCompletedWithOrphans(session.Context, cause.Shown, told));
    }

    // What is still in the air, what recovers beside the job, and ends that a slow audit has not taken yet have events to come. It is ended once, whoever asks.
    private async Task EndAuditWhenDrainedAsync()
    {
        await session.Leases.Drained.ConfigureAwait(false);
        await session.Recovery.Report.ConfigureAwait(false);
        if (session.Audit.HasEnd)   // no chain says that it is whole before
            await accounts.AllRecordedAsync().ConfigureAwait(false);
        await session.Audit.EndAsync().ConfigureAwait(false);
    }

    // A flight still in the air keeps journal, back channel and plug-ins in use.
    private async Task ReleaseWhenDrainedAsync()
    {
        await session.Leases.Drained.ConfigureAwait(false);
        try
        {
            await EndAuditWhenDrainedAsync().ConfigureAwait(false);
        }
        finally
        {
            if (session.Journal is { } journal)   // what the audit takes late is over for the journal, too
                await journal.DisposeAsync().ConfigureAwait(false);
        }
        await session.Audit.ShipAsync().ConfigureAwait(false);
        await session.Audit.LookedAsync().ConfigureAwait(false);
        session.Backchannel.Dispose();
        await Plan.DisposeOwnedAsync().ConfigureAwait(false);
        session.NoteReleased();
    }

    private async Task TellAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception exception)   // a callback that is not ours must not keep credentials alive
        {
            Plan.Logger.EndedCallbackFailed(session.Context, exception.GetType().Name);
        }
    }
}
