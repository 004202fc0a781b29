using Microsoft.Extensions.Logging;

using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Records the audit events of one job: in every required sink, and, without waiting, in the others. The audit may be slow: an exchange waits for it for two seconds, and the job's end for as long after its own deadline.</summary>
internal sealed class JobAudit
{
    /// <summary>How long a record may take: an event of the audit, or a line of the journal.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    // Of a job, for the first file of each folder.
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(10);

    private readonly SessionPlan _plan;
    private readonly List<BestEffortSink> _bestEffort = [];
    private readonly Lazy<Task> _end;
    private readonly Lazy<Task> _shipped;
    private IAuditSink? _required;
    private AuditFileSink? _file;
    private AuditFileSink? _spoolFile;
    private AuditSpool? _spool;
    private SpoolShipper? _shipper;
    private readonly List<BestEffortSink> _beforeFiles = [];
    // One at a time, for whoever asks meanwhile.
    private readonly ConcurrentDictionary<SpoolRoom, Lazy<Task<bool>>> _looks = new(ReferenceEqualityComparer.Instance);
    private Task _looking = Task.CompletedTask;

    public JobAudit(SessionPlan plan)
    {
        _plan = plan;
        _required = RequiredSinks.Of(plan.Audit.Required);
        _end = new Lazy<Task>(() => Task.Run(EndOnceAsync));
        _shipped = new Lazy<Task>(() => Task.Run(ShipOnceAsync));
    }

    /// <summary>Begins what is this session's own: its file, and the queues of sinks that nobody waits for.</summary>
    /// <exception cref="TokenExchangeException">The folder is not safe, or its disk hangs.</exception>
    public void Open()
    {
        List<IAuditSink> required = [.. _plan.Audit.Required];
        Quietly.Do(() => SayWhatIsLeftOut(required));   // a log may fail
        if (_plan.Audit.Folder is { } folder)
        {
            _file = Started(folder, spool: null);
            _looking = OwnThread.Run(() => UnfinishedTrails.Tell(_file.Folder, _plan.Job, _plan.Logger));
            Add(_file, folder.IsRequired, required);
        }
        if (_plan.Audit.Collector is { } collector)
        {
            _spool = new AuditSpool(collector, _plan.Time);
            _spoolFile = Started(new AuditFolderPlan(collector.Spool, collector.IsRequired, collector.PartBytes, int.MaxValue, collector.Disk), _spool);
            Add(_spoolFile, collector.IsRequired, required);
        }
        _required = RequiredSinks.Of(required);
        _bestEffort.AddRange(_plan.Audit.BestEffort.Select(sink => new BestEffortSink(sink, _plan, Deadline)));
    }

    /// <summary>Begins to send to the collector, if there is one: the session is there now, whose credential it may need.</summary>
    public void StartShipping(JobSession session)
    {
        if (_plan.Audit.Collector is { } collector)
            _shipper = new SpoolShipper(collector, session, _spool!, _spoolFile!);
    }

    /// <summary>Why the collector does not take events; null: it does, or there is none.</summary>
    public string? CollectorFailing => _shipper?.Failing;

    /// <summary>The first sink that nobody waits for and that did not take the last event, and why; null: there is none.</summary>
    public string? Dropping => _bestEffort.Select(sink => sink.Failing).FirstOrDefault(failing => failing is not null);

    /// <summary>Whether the spool of the collector has no room for events. Looks into its folder if it had none, once for all who ask meanwhile, and for two seconds at most: on a disk that hangs it is full.</summary>
    public async Task<bool> IsSpoolFullAsync(CancellationToken cancellationToken)
    {
        if (_spool is not { Room.HasRefused: true } spool)
            return false;
        Task<bool> look = _looks.AddOrUpdate(spool.Room, NewLook, (room, last) => last.Value.IsCompleted ? NewLook(room) : last).Value;
        try
        {
            return await look.WaitAsync(Deadline, _plan.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return true;   // as it was when the event came
        }
    }

    /// <summary>Completes when the chains of earlier processes were looked through.</summary>
    public Task LookedAsync() => _looking;

    /// <summary>The anchor of its files that was said last; null: there are none.</summary>
    public string? LastAnchor => _file?.LastAnchor;

    /// <summary>Says the last anchor in the trace once more: who listens there may have begun to after the chain did. Waits for that for two seconds at most.</summary>
    public async Task TraceAnchorAgainAsync()
    {
        if (LastAnchor is not { } anchor)
            return;
        try
        {
            DateTimeOffset at = _plan.Time.GetUtcNow();
            await Task.Run(() => Quietly.Do(() => AuditSayings.Trace(anchor, at))).WaitAsync(Deadline, _plan.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // An exporter that hangs keeps no host from its start.
        }
    }

    /// <summary>Whether something of it has to be ended.</summary>
    public bool HasEnd => _file is not null || _spool is not null || _bestEffort.Count > 0;

    /// <summary>Records an event; what can't be recorded is an error.</summary>
    public async ValueTask RecordAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(auditEvent, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new TokenExchangeException(ErrorCodes.NotRecorded, ExchangeStage.Record, $"The audit could not record '{auditEvent.Kind}' ({(exception as TokenExchangeException)?.Code ?? exception.GetType().Name}); nothing is handed out.", ForeignException.Of(exception))
            {
                Target = auditEvent.Target, IsTransient = true, Hint = (exception as TokenExchangeException)?.Hint ?? "Look at the audit sink; at the disk of its folder: whether it is full, read-only, or hangs.",
            };
        }
    }

    /// <summary>Records what has happened already. If the audit does not take it, the log says so.</summary>
    /// <returns>Whether it is recorded.</returns>
    public async Task<bool> TryRecordAsync(Func<AuditEvent> auditEvent)
    {
        AuditEvent? made = null;
        try
        {
            made = auditEvent();
            await WriteAsync(made, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception)   // it has happened; nothing that is still to come depends on its record
        {
            Task said = _plan.Log.SayAsync(log => log.AuditFailed(made?.Kind, made?.Target, made?.FlightId, exception.GetType().Name));
            if (exception is not TimeoutException || !_plan.Audit.Required.Any(sink => sink is LoggerAuditSink))   // else the log may be what hangs, and was waited for
                await said.ConfigureAwait(false);
            return false;
        }
    }

    /// <summary>Ends what is this session's own, when nothing is recorded any more: queues are emptied, the file gets its last line. Completes at once where there is nothing of the kind.</summary>
    public Task EndAsync() => HasEnd ? _end.Value : Task.CompletedTask;

    /// <summary>Sends to the collector what is left, for as long as the job's end may take; the rest is left to the next start. After <see cref="EndAsync"/>.</summary>
    public Task ShipAsync() => _spool is null ? Task.CompletedTask : _shipped.Value;

    /// <summary>Both, one after the other.</summary>
    public async Task EndAndShipAsync()
    {
        await EndAsync().ConfigureAwait(false);
        await ShipAsync().ConfigureAwait(false);
    }

    private AuditFileSink Started(AuditFolderPlan plan, AuditSpool? spool)
    {
        AuditFileSink? started = null;
        Task starting = OwnThread.Run(() => started = AuditFileSink.Start(plan, _plan.Job, _plan.Time, _plan.Logger, spool));
        try
        {
            Blocking.Wait(starting.WaitAsync(LongestStart, _plan.Time));
            return started!;
        }
        catch (TimeoutException)
        {
            EndLateAsync().Forget();
            throw AuditFolder.Unsafe(plan.Path, $"has taken no file for {LongestStart.TotalSeconds:0} seconds", "See whether its disk hangs, such as one of a network.", null);
        }

        async Task EndLateAsync()
        {
            await starting.ConfigureAwait(false);
            await started!.EndAsync().ConfigureAwait(false);
        }
    }

    // At the start, and not with the first exchange alone.
    private void SayWhatIsLeftOut(List<IAuditSink> required)
    {
        if (required.OfType<LoggerAuditSink>().Any(log => log.LeavesOut(LogLevel.Information)))
            _plan.Logger.AuditLeftOut(_plan.Job, LoggerAuditSink.Remedy, ErrorCodes.AuditLogLeavesOut);
    }

    private void Add(AuditFileSink file, bool isRequired, List<IAuditSink> required)
    {
        if (isRequired)
        {
            required.Add(file);
            return;
        }
        var before = new BestEffortSink(file, _plan, bound: null);   // late on a slow disk is not lost
        _bestEffort.Add(before);
        _beforeFiles.Add(before);
    }

    private static Lazy<Task<bool>> NewLook(SpoolRoom room) => new(() => LookAsync(room));

    private static async Task<bool> LookAsync(SpoolRoom room)
    {
        bool isFull = true;
        await OwnThread.Run(() => isFull = room.LookWhetherFull()).ConfigureAwait(false);
        return isFull;
    }

    private async Task ShipOnceAsync()
    {
        if (_shipper is not null)
        {
            using var deadline = new CancellationTokenSource(_plan.EndWithin, _plan.Time);
            await _shipper.EndAsync(deadline.Token).ConfigureAwait(false);
        }
        while (_spool!.TryTake(out AuditPart? part))   // of a job that did not start
            part!.Dispose();
        await _plan.Log.SaidAsync().ConfigureAwait(false);
    }

    private async Task EndOnceAsync()
    {
        // A sink that nobody waits for, and that hangs, keeps no file from its last line.
        Task told = Task.WhenAll(_bestEffort.Select(sink => sink.EndAsync()));
        await Task.WhenAll(_beforeFiles.Select(sink => sink.EndAsync())).ConfigureAwait(false);
        if (_file is not null)
            await _file.EndAsync().ConfigureAwait(false);
        if (_spoolFile is not null)
            await _spoolFile.EndAsync().ConfigureAwait(false);
        await told.ConfigureAwait(false);
        await _plan.Log.SaidAsync().ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        foreach (BestEffortSink sink in _bestEffort)
            sink.Offer(auditEvent);
        if (_required is null)
            return;
        ValueTask writing = _required.WriteAsync(auditEvent, cancellationToken);
        if (writing.IsCompletedSuccessfully)
            return;
        Task recorded = writing.AsTask();
        try
        {
            await recorded.WaitAsync(Deadline, _plan.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (recorded.IsCompletedSuccessfully)
        {
            // Recorded; a pool without a free thread heard of the clock first.
        }
        catch
        {
            recorded.Forget();
            throw;
        }
    }
}
