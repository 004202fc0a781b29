using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says whether the remote decision point answers, by looking at its circuit. Asks nobody.</summary>
internal sealed class DecisionPointHealthCheck(RemotePolicy policy) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["policy"] = policy.Revision, ["circuit"] = policy.IsCircuitOpen ? "open" : "closed" };
        // What is held is served on: an instance that is taken out of service would be asked nothing any more, and the circuit stay open.
        return Task.FromResult(policy.IsCircuitOpen
            ? HealthCheckResult.Degraded("The decision point does not answer, and is not asked for a while; nothing new is granted. What is held is served on as long as its permit holds.", data: facts)
            : HealthCheckResult.Healthy("The decision point answers, or was not asked yet.", facts));
    }
}
