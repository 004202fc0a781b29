using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says which version of the policy is in force, and whether the file is that one. Reads nothing.</summary>
internal sealed class PolicyHealthCheck(PolicyFile policy) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        PolicyDocument inForce = policy.Document;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["revision"] = inForce.Revision, ["mode"] = inForce.IsObserved ? "observe" : "enforce" };
        return Task.FromResult(policy.Trouble is { } trouble
            ? HealthCheckResult.Degraded($"Revision {inForce.Number} is in force; the file as it is now is refused: {trouble}", data: facts)
            : HealthCheckResult.Healthy($"Revision {inForce.Number} is in force{(inForce.IsObserved ? ", and only observes" : "")}.", facts));
    }
}
