using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says whether the journal is written, and whether somebody took it away while the job ran. Touches no file.</summary>
internal sealed class JournalHealthCheck(JobSession session) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        JobJournal journal = session.Journal!;
        string? lost = journal.Lost;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["journal"] = journal.IsFailing ? "fails" : lost is null ? "is written" : "was made anew" };
        return Task.FromResult(
            journal.IsFailing ? new HealthCheckResult(context.Registration.FailureStatus, $"The journal could not be written when it was tried last{(lost is null ? "" : $", and {lost}")} (NHI6001); the next exchange tries it again, and none is made without it.", data: facts)
            : lost is not null ? HealthCheckResult.Degraded($"The journal {lost} while the job ran (NHI7008). A new one holds what it held; find out who did it.", data: facts)
            : HealthCheckResult.Healthy("The journal is written.", facts));
    }
}
