using Microsoft.Extensions.Diagnostics.HealthChecks;
using Nhi.TokenExchange;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Reports how the targets of the container's session fare.</summary>
public static class TokenExchangeHealthChecksBuilderExtensions
{
    /// <summary>Adds a health check for each target, named <c>token-exchange:</c> and the target; and one of the policy, <c>token-exchange-policy</c>, where that is a file or a remote decision point; and one of the audit, <c>token-exchange-audit</c>, where that has a collector, or a sink that nobody waits for; and one of the journal, <c>token-exchange-journal</c>, where there is one.</summary>
    /// <param name="builder">The health checks, from <c>services.AddHealthChecks()</c>.</param>
    /// <param name="failureStatus">What is reported where no credential can be had. Default: unhealthy.</param>
    /// <param name="tags">Tags of the checks, to choose them by.</param>
    /// <returns>The health checks.</returns>
    /// <remarks>
    /// Healthy: a usable credential is held, or the target has not been asked yet. Degraded: refreshing fails while a credential is still good; credentials that should have been ended could not be; or the last
    /// exchange failed and nobody has tried for a minute since it may be tried again. Unhealthy: the last exchange failed and nothing is held, or the
    /// job has ended. A check looks and asks nobody: it never causes an exchange. It tells of the target's own credential, not of narrower ones.
    /// A target with a static key is degraded from 30 days before its Until on, and unhealthy from then on.
    /// The policy is degraded while its file, as it is now, is refused, and the version before is in force; or while the decision point does not answer and is not asked for a while.
    /// The audit is degraded while its collector does not take events, or a sink that nobody waits for did not take the last one; with a full spool, unhealthy where the collector is required.
    /// The journal is unhealthy while it can't be written, for nothing is handed out then; and degraded, to the job's end, once somebody took its file away while the job ran.
    /// </remarks>
    public static IHealthChecksBuilder AddTokenExchange(this IHealthChecksBuilder builder, HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        string[] all = [.. tags ?? []];
        builder.Services.AddOptions<HealthCheckServiceOptions>().Configure<IServiceProvider>((options, services) =>
        {
            JobSession session = JobHosting.SessionOf(services);
            if (session.Plan.Policy is PolicyFile file)
                options.Registrations.Add(new HealthCheckRegistration("token-exchange-policy", new PolicyHealthCheck(file), failureStatus, all));
            foreach (TargetRuntime target in session.Targets)
                options.Registrations.Add(new HealthCheckRegistration($"token-exchange:{target.Target}", new TargetHealthCheck(target), failureStatus, all));
            if (session.Plan.Audit.MayLose)
                options.Registrations.Add(new HealthCheckRegistration("token-exchange-audit", new AuditHealthCheck(session), failureStatus, all));
            if (session.Journal is not null)
                options.Registrations.Add(new HealthCheckRegistration("token-exchange-journal", new JournalHealthCheck(session), failureStatus, all));
            if (session.Plan.Policy is RemotePolicy remote)
                options.Registrations.Add(new HealthCheckRegistration("token-exchange-policy", new DecisionPointHealthCheck(remote), failureStatus, all));
        });
        return builder;
    }
}
