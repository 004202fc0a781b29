using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Nhi.TokenExchange;

/// <summary>Says how one target fares, by looking at its slot. Asks nobody, changes nothing.</summary>
internal sealed class TargetHealthCheck(TargetRuntime target) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Task.FromResult(Look(context.Registration.FailureStatus));
    }

    private HealthCheckResult Look(HealthStatus failureStatus)
    {
        if (target.Session.Ended.IsCancellationRequested)
            return new HealthCheckResult(failureStatus, $"The job has ended.{Leftover()}", data: Facts("ended", null, null));
        (Credential? held, FlightFailure? failure) = target.Look();
        AgreedClock clock = target.Session.Clock;
        if (Terms?.IsOver(clock.Now) == true)
            return new HealthCheckResult(failureStatus, $"The time of its static key is over (NHI3004).{Leftover()}", data: Facts("over", held, failure));
        // One refused credential is replaced at the next call; it takes more to speak of trouble.
        if (failure is { IsRefusal: true } && (held is not null || failure.Attempt == 1))
            failure = null;
        if (held is not null)
        {
            return failure is null
                ? Fine("A credential is held.", Facts("held", held, null))
                : HealthCheckResult.Degraded($"Refreshing fails; the credential is good until {clock.InstantOf(held.Lease.WallEnd).ToString("u", CultureInfo.InvariantCulture)}. {failure.Cause.Detail}", data: Facts("refresh failing", held, failure));
        }
        if (failure is null)
            return Fine("Nothing is held; the next call asks for it.", Facts("not asked", null, null));
        // Who is taken out of service for a failure is asked nothing any more, and would never come back.
        return failure.IsForgotten(clock.Tick)
            ? HealthCheckResult.Degraded($"The last exchange failed; nobody has tried again since it may be tried. {failure.Cause.Detail}", data: Facts("failed, not tried again", null, failure))
            : new HealthCheckResult(failureStatus, failure.Cause.Detail, data: Facts("failed", null, failure));
    }

    // The target can be used; but what should be dead may live.
    private HealthCheckResult Fine(string description, Dictionary<string, object> facts) =>
        Leftover() + Notice() is { Length: > 0 } more ? HealthCheckResult.Degraded(description + more, data: facts) : HealthCheckResult.Healthy(description, facts);

    private StaticKeyTerms? Terms => (target.Plan.Exchanger as StaticKeyExchanger)?.Terms;

    private string Notice() => Terms is { } terms && terms.IsNearItsEnd(target.Session.Clock.Now) ? string.Create(CultureInfo.InvariantCulture, $" Its static key is refused in {terms.DaysLeft(target.Session.Clock.Now)} days.") : "";

    private string Leftover() => Unrevoked is > 0 and int count ? string.Create(CultureInfo.InvariantCulture, $" {count} credential(s) of it that should have been ended could not be; log and audit say which.") : "";

    private int Unrevoked => target.Session.Report is { } report ? report.Leases.Count(lease => lease.Target == target.Target && lease.End == LeaseEnd.Failed) : target.Session.Unrevoked(target);

    private Dictionary<string, object> Facts(string state, Credential? held, FlightFailure? failure)
    {
        AgreedClock clock = target.Session.Clock;
        var facts = new Dictionary<string, object>(StringComparer.Ordinal) { ["target"] = target.Target, ["state"] = state };
        if (Unrevoked is > 0 and int unrevoked)
            facts["unrevoked"] = unrevoked;
        if (target.Plan.Exchanger.StaticKey is { } key)
        {
            facts["owner"] = key.Owner;
            facts["until"] = key.Until;
        }
        if (held is not null)
        {
            facts["fingerprint"] = held.Fingerprint;
            facts["unusableFrom"] = clock.InstantOf(held.Lease.WallEnd);
        }
        if (failure is not null)
        {
            facts["code"] = failure.Cause.Code;
            facts["failuresInARow"] = failure.Attempt;
            if (failure.NextTryIn(clock.Tick, held is not null) is { } wait)
                facts["nextTryIn"] = wait;
        }
        return facts;
    }
}
