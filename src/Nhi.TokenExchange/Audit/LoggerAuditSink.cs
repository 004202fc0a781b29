using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Records audit events as log lines with stable event ids: visible ASCII, whatever the texts in them are, with the whole event as attributes. As durable as the log behind it.</summary>
/// <remarks>A log whose level leaves the event out has not recorded it. One that blocks who calls it holds up no exchange for longer than the audit may take, and no other sink.</remarks>
/// <param name="logger">The log.</param>
/// <param name="isGiven">False: who composed the job gave no log, and asked for no record in it, which is his word that there is no audit.</param>
/// <param name="turns">Calls the log, and may be shared with others who do; null: one of its own.</param>
internal sealed class LoggerAuditSink(ILogger logger, bool isGiven = true, InTurn? turns = null) : IAuditSink
{
    /// <summary>What is to be done where the log leaves the audit out.</summary>
    public const string Remedy = "Give the job a log, and set the level of its category Nhi.TokenExchange to Information (Logging:LogLevel:Nhi.TokenExchange in settings), or record in a folder that is required (AuditFolder).";

    private readonly InTurn _turns = turns ?? new InTurn();

    /// <summary>Whether there is a log.</summary>
    public bool IsGiven => isGiven;

    /// <summary>Whether it would refuse events of this level.</summary>
    public bool LeavesOut(LogLevel level) => isGiven && !logger.IsEnabled(level);

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) => isGiven ? new(_turns.Add(() => Write(auditEvent))) : default;   // there is no log

    private void Write(AuditEvent auditEvent)
    {
        if (LeavesOut(LevelOf(auditEvent)))
        {
            throw new TokenExchangeException(ErrorCodes.AuditLogLeavesOut, ExchangeStage.Record, $"The log leaves out lines of level {LevelOf(auditEvent)}.")
            {
                IsTransient = true, Hint = Remedy,
            };
        }
        var line = new AuditLogger(logger, auditEvent);
        switch (auditEvent.Kind)
        {
            case AuditEventKind.Attested:
                line.Attested(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.SubjectIssuer), Shown(auditEvent.Subject), Shown(auditEvent.Audience), Shown(auditEvent.SubjectFingerprint), Shown(auditEvent.Through) ?? "no target", auditEvent.WorkloadIsAsserted, auditEvent.AttestedFacts);
                break;
            case AuditEventKind.Permitted when auditEvent.IsObserved:
                SayObserved(line, auditEvent);
                break;
            case AuditEventKind.Permitted:
                line.Permitted(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Rule), Shown(auditEvent.PolicyRevision), Named(auditEvent.Scopes), Shown(auditEvent.CorrelationId));
                break;
            case AuditEventKind.Denied:
                line.Denied(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Rule), Shown(auditEvent.PolicyRevision), Prose(auditEvent.Reason), Shown(auditEvent.CorrelationId));
                break;
            case AuditEventKind.Exchanging:
                line.Exchanging(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Issuer), Named(auditEvent.Scopes), Shown(auditEvent.SubjectFingerprint));
                break;
            case AuditEventKind.Issued or AuditEventKind.Refreshed when auditEvent.StaticKey is { } key:
                line.StaticKeyRead(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Prose(key.ToString()), Shown(auditEvent.Fingerprint), auditEvent.UnusableFrom, Shown(auditEvent.CorrelationId));
                break;
            case AuditEventKind.Issued:
                line.Issued(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Issuer), Shown(auditEvent.Fingerprint), Named(auditEvent.Scopes), auditEvent.UnusableFrom, auditEvent.DiesAt, Shown(auditEvent.CorrelationId), Prose(auditEvent.Exposure?.ToString()));
                break;
            case AuditEventKind.Refreshed:
                line.Refreshed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Issuer), Shown(auditEvent.Fingerprint), Named(auditEvent.Scopes), auditEvent.UnusableFrom, auditEvent.DiesAt, Shown(auditEvent.CorrelationId), Prose(auditEvent.Exposure?.ToString()));
                break;
            case AuditEventKind.Renewed:
                line.Renewed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Issuer), Shown(auditEvent.Fingerprint), auditEvent.UnusableFrom, auditEvent.DiesAt, Shown(auditEvent.CorrelationId));
                break;
            case AuditEventKind.Revoked:
                line.Revoked(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), Prose(auditEvent.Reason));
                break;
            case AuditEventKind.Expired:
                line.Expired(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), auditEvent.DiesAt, Prose(auditEvent.Reason) ?? "of age");
                break;
            case AuditEventKind.Orphaned when auditEvent is { Code: null, DiesAt: null }:
                line.StaticKeyLivesOn(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), Prose(auditEvent.Reason));
                break;
            case AuditEventKind.Orphaned when auditEvent.Code is null:
                line.LivesOn(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), auditEvent.DiesAt, Prose(auditEvent.Reason));
                break;
            case AuditEventKind.Orphaned:
                line.Orphaned(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), HandleOf(auditEvent), auditEvent.DiesAt, Prose(auditEvent.Reason));
                break;
            case AuditEventKind.Failed:
                line.Failed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Code), Prose(auditEvent.Reason), Shown(auditEvent.CorrelationId) ?? "none");
                break;
            case AuditEventKind.Recovered:
                line.Recovered(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, Shown(auditEvent.Fingerprint), Prose(auditEvent.Reason));
                break;
            case AuditEventKind.JobCutShort:
                line.CutShort(auditEvent.Job, Shown(auditEvent.Code), Prose(auditEvent.Reason));
                break;
            case AuditEventKind.CallerRefused:
                line.CallerRefused(auditEvent.Job, Prose(auditEvent.Reason), Prose(auditEvent.Caller?.ToString()) ?? "unknown");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(auditEvent), auditEvent.Kind, "Unknown kind of audit event.");
        }
    }

    /// <summary>Warns of what is permitted by observing alone.</summary>
    public static void SayObserved(ILogger logger, AuditEvent observed) =>
        logger.Observed(observed.Target, observed.Job, observed.FlightId, Shown(observed.Rule), Shown(observed.PolicyRevision), observed.Scopes, Prose(observed.Reason));

    // As the lines themselves have it.
    private static LogLevel LevelOf(AuditEvent auditEvent) => auditEvent switch
    {
        { Kind: AuditEventKind.Denied or AuditEventKind.Failed or AuditEventKind.JobCutShort or AuditEventKind.CallerRefused } or { Kind: AuditEventKind.Orphaned, Code: not null } or { Kind: AuditEventKind.Permitted, IsObserved: true } => LogLevel.Warning,
        _ => LogLevel.Information,
    };

    private static string? Shown(string? text) => text is null ? null : AuditText.Shown(text, AuditText.Longest);

    private static string? Prose(string? text) => text is null ? null : AuditText.Shown(text, AuditText.LongestProse);

    private static string HandleOf(AuditEvent auditEvent) => auditEvent.RevocationHandle is { } handle ? AuditText.Shown(handle, 300) : "none";

    private static string Named(ScopeSet scopes) => scopes.IsEmpty ? "none" : scopes.ToString();
}
