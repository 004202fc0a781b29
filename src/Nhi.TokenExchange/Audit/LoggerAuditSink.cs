using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Records audit events as log lines with stable event ids. As durable as the log behind it.</summary>
internal sealed class LoggerAuditSink(ILogger logger) : IAuditSink
{
    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        switch (auditEvent.Kind)
        {
            case AuditEventKind.Attested:
                logger.Attested(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.SubjectIssuer, auditEvent.Subject, auditEvent.Audience, auditEvent.SubjectFingerprint, auditEvent.WorkloadIsAsserted, auditEvent.AttestedFacts);
                break;
            case AuditEventKind.Permitted when auditEvent.IsObserved:
                logger.Observed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Rule, auditEvent.PolicyRevision, auditEvent.Scopes, auditEvent.Reason);
                break;
            case AuditEventKind.Permitted:
                logger.Permitted(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Rule, auditEvent.PolicyRevision, Named(auditEvent.Scopes), auditEvent.CorrelationId);
                break;
            case AuditEventKind.Denied:
                logger.Denied(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Rule, auditEvent.PolicyRevision, auditEvent.Reason, auditEvent.CorrelationId);
                break;
            case AuditEventKind.Exchanging:
                logger.Exchanging(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Issuer, Named(auditEvent.Scopes), auditEvent.SubjectFingerprint);
                break;
            case AuditEventKind.Issued or AuditEventKind.Refreshed when auditEvent.StaticKey is { } key:
                logger.StaticKeyRead(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, key, auditEvent.Fingerprint, auditEvent.UnusableFrom, auditEvent.CorrelationId);
                break;
            case AuditEventKind.Issued:
                logger.Issued(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Issuer, auditEvent.Fingerprint, Named(auditEvent.Scopes), auditEvent.UnusableFrom, auditEvent.DiesAt, auditEvent.CorrelationId);
                break;
            case AuditEventKind.Refreshed:
                logger.Refreshed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Issuer, auditEvent.Fingerprint, Named(auditEvent.Scopes), auditEvent.UnusableFrom, auditEvent.DiesAt, auditEvent.CorrelationId);
                break;
            case AuditEventKind.Renewed:
                logger.Renewed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Issuer, auditEvent.Fingerprint, auditEvent.UnusableFrom, auditEvent.DiesAt, auditEvent.CorrelationId);
                break;
            case AuditEventKind.Revoked:
                logger.Revoked(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, auditEvent.Reason);
                break;
            case AuditEventKind.Expired:
                logger.Expired(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, auditEvent.DiesAt, auditEvent.Reason ?? "of age");
                break;
            case AuditEventKind.Orphaned when auditEvent is { Code: null, DiesAt: null }:
                logger.StaticKeyLivesOn(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, auditEvent.Reason);
                break;
            case AuditEventKind.Orphaned when auditEvent.Code is null:
                logger.LivesOn(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, auditEvent.DiesAt, auditEvent.Reason);
                break;
            case AuditEventKind.Orphaned:
                logger.Orphaned(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, HandleOf(auditEvent), auditEvent.DiesAt, auditEvent.Reason);
                break;
            case AuditEventKind.Failed:
                logger.Failed(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Code, auditEvent.Reason, auditEvent.CorrelationId ?? "none");
                break;
            case AuditEventKind.Recovered:
                logger.Recovered(auditEvent.Target, auditEvent.Job, auditEvent.FlightId, auditEvent.Fingerprint, auditEvent.Reason);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(auditEvent), auditEvent.Kind, "Unknown kind of audit event.");
        }
        return default;
    }

    private static string HandleOf(AuditEvent auditEvent) => auditEvent.RevocationHandle is { } handle ? ExceptionText.Clean(handle, 300) : "none";

    private static string Named(ScopeSet scopes) => scopes.IsEmpty ? "none" : scopes.ToString();
}
