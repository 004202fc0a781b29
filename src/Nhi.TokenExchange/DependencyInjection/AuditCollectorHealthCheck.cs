using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says whether the audit's collector takes events, and whether its spool has room. Asks no collector; looks into the spool if that was full.</summary>
internal sealed class AuditCollectorHealthCheck(JobSession session) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        bool isRequired = session.Plan.Audit.Collector is { IsRequired: true };
        bool isFull = await session.Audit.IsSpoolFullAsync(cancellationToken).ConfigureAwait(false);
        string? failing = session.Audit.CollectorFailing;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["spool"] = isFull ? "full" : "has room", ["collector"] = failing is null ? "takes events, or was sent none" : "fails" };
        return isFull ? new HealthCheckResult(isRequired ? context.Registration.FailureStatus : HealthStatus.Degraded, $"The spool of the audit's collector is full (NHI6012); {(isRequired ? "nothing is handed out" : "events are dropped")}.", data: facts)
            : failing is not null ? HealthCheckResult.Degraded($"The audit's collector does not take events ({failing}); what is not set aside waits in the spool.", data: facts)
            : HealthCheckResult.Healthy("The audit's collector takes events, or was sent none yet.", facts);
    }
}
