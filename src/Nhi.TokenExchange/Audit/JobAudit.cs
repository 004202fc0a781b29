namespace Nhi.TokenExchange;

/// <summary>Writes the audit events of one job. The audit may be slow: an exchange waits for it for two seconds, and the job's end for as long after its own deadline.</summary>
internal sealed class JobAudit(SessionPlan plan)
{
    /// <summary>How long a record may take: an event of the audit, or a line of the journal.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(2);

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
                Target = auditEvent.Target, IsTransient = true, Hint = "Look at the audit sink.",
            };
        }
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
            plan.Logger.AuditFailed(made?.Kind, made?.Target, made?.FlightId, exception.GetType().Name);
        }
    }

    private async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        ValueTask writing = plan.Audit.WriteAsync(auditEvent, cancellationToken);
        if (writing.IsCompletedSuccessfully)
            return;
        Task recorded = writing.AsTask();
        try
        {
            await recorded.WaitAsync(Deadline, plan.Time, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            recorded.Forget();
            throw;
        }
    }
}
