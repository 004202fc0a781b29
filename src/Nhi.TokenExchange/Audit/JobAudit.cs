namespace Nhi.TokenExchange;

/// <summary>Records the audit events of one job: in every required sink, and, without waiting, in the others. The audit may be slow: an exchange waits for it for two seconds, and the job's end for as long after its own deadline.</summary>
internal sealed class JobAudit
{
    /// <summary>How long a record may take: an event of the audit, or a line of the journal.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

    private readonly SessionPlan _plan;
    private readonly List<BestEffortSink> _bestEffort = [];
    private readonly Lazy<Task> _end;
    private IAuditSink? _required;
    private AuditFileSink? _file;
    private BestEffortSink? _beforeFile;
    private Task _looking = Task.CompletedTask;

    public JobAudit(SessionPlan plan)
    {
        _plan = plan;
        _required = RequiredSinks.Of(plan.Audit.Required);
        _end = new Lazy<Task>(() => Task.Run(EndOnceAsync));
    }

    /// <summary>Begins what is this session's own: its file, and the queues of sinks that nobody waits for.</summary>
    /// <exception cref="TokenExchangeException">The folder is not safe.</exception>
    public void Open()
    {
        if (_plan.Audit.Folder is { } folder)
        {
            _file = AuditFileSink.Start(folder, _plan.Job, _plan.Time, _plan.Logger);
            _looking = OwnThread.Run(() => UnfinishedTrails.Tell(_file.Folder, _plan.Job, _plan.Logger));
            if (folder.IsRequired)
                _required = RequiredSinks.Of([_file, .. _plan.Audit.Required]);
            else
                _bestEffort.Add(_beforeFile = new BestEffortSink(_file, _plan, bound: null));   // late on a slow disk is not lost
        }
        _bestEffort.AddRange(_plan.Audit.BestEffort.Select(sink => new BestEffortSink(sink, _plan, Deadline)));
    }

    /// <summary>The anchor of its files that was said last; null: there are none.</summary>
    public string? LastAnchor => _file?.LastAnchor;

    /// <summary>Whether something of it has to be ended.</summary>
    public bool HasEnd => _file is not null || _bestEffort.Count > 0;

    /// <summary>Records an event; what can't be recorded is an error.</summary>
    public async ValueTask RecordAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(auditEvent, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new TokenExchangeException(ErrorCodes.NotRecorded, ExchangeStage.Record, $"The audit could not record '{auditEvent.Kind}' ({exception.GetType().Name}); nothing is handed out.", ForeignException.Of(exception))
            {
                Target = auditEvent.Target, IsTransient = true, Hint = "Look at the audit sink; at the disk of its folder: whether it is full, read-only, or hangs.",
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
            _plan.Logger.AuditFailed(made?.Kind, made?.Target, made?.FlightId, exception.GetType().Name);
            return false;
        }
    }

    /// <summary>Ends what is this session's own, when nothing is recorded any more: queues are emptied, the file gets its last line. Completes at once where there is nothing of the kind.</summary>
    public Task EndAsync() => HasEnd ? _end.Value : Task.CompletedTask;

    private async Task EndOnceAsync()
    {
        // A sink that nobody waits for, and that hangs, keeps no file from its last line.
        Task told = Task.WhenAll(_bestEffort.Select(sink => sink.EndAsync()));
        if (_beforeFile is not null)
            await _beforeFile.EndAsync().ConfigureAwait(false);
        if (_file is not null)
            await _file.EndAsync().ConfigureAwait(false);
        await told.ConfigureAwait(false);
        await _looking.ConfigureAwait(false);
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
        catch
        {
            recorded.Forget();
            throw;
        }
    }
}
