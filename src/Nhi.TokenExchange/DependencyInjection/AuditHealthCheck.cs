using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says whether the audit's collector takes events, whether its spool has room, and whether sinks that nobody waits for take what they are told. Asks nobody; looks into the spool if that was full.</summary>
internal sealed class AuditHealthCheck(JobSession session) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool isRequired = session.Plan.Audit.Collector is { IsRequired: true };
        bool isFull = await session.Audit.IsSpoolFullAsync(cancellationToken).ConfigureAwait(false);
        string? failing = session.Audit.CollectorFailing, dropping = session.Audit.Dropping;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["sinks"] = dropping is null ? "take events, or were told none" : "drop events" };
        if (session.Plan.Audit.Collector is not null)
            (facts["spool"], facts["collector"]) = (isFull ? "full" : "has room", failing is null ? "takes events, or was sent none" : "fails");
        return isFull ? new HealthCheckResult(isRequired ? context.Registration.FailureStatus : HealthStatus.Degraded, $"The spool of the audit's collector is full (NHI6012); {(isRequired ? "nothing is handed out" : "events are dropped")}.", data: facts)
            : failing is not null ? HealthCheckResult.Degraded($"The audit's collector does not take events ({failing}); what is not set aside waits in the spool.", data: facts)
            : dropping is not null ? HealthCheckResult.Degraded($"A sink of the audit did not take the last event ({dropping}); nothing waits for it, and the event is dropped.", data: facts)
            : HealthCheckResult.Healthy("The audit takes events, or was told none yet.", facts);
    }
}
