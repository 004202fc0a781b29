using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>All that a job session is made of, checked and frozen. Targets stand before those that go through them.</summary>
internal sealed record SessionPlan(
    JobContext Job,
    IReadOnlyList<TargetPlan> Targets,
    IAccessPolicy Policy,
    AuditPlan Audit,
    TimeProvider Time,
    Func<double> Jitter,
    ILogger Logger,
    SessionLog Log,
    ExchangeMeter Meter,
    bool EndOnSignals,
    TimeSpan EndWithin,
    TimeSpan? MaxDuration,
    string? KillSwitch,
    string? Journal,
    Disk JournalDisk,
    bool FailOnUnrevoked,
    Func<HttpMessageHandler>? Transport,
    Func<HttpMessageHandler, HttpMessageHandler>? Around,
    AdditionalRoots? Roots,
    IReadOnlyDictionary<string, StaticKeyOpener> Openers,
    IReadOnlyList<object> Owned)
{
    /// <summary>The rules in force, for events that no decision led to; null if a policy of one's own can't say.</summary>
    public string? PolicyRevision
    {
        get
        {
            try
            {
                return Policy.Revision;
            }
            catch (Exception)   // nothing is permitted by what can't name its rules; but what has happened is recorded
            {
                return null;
            }
        }
    }

    /// <summary>Chance, from 0 up to but not including 1, whatever the given source does.</summary>
    public double Chance()
    {
        try
        {
            return Jitter() is >= 0 and < 1 and double jitter ? jitter : 0.5;
        }
        catch (Exception)   // no flight hangs or fails for want of chance
        {
            return 0.5;
        }
    }

    /// <summary>Disposes what factories of kinds made for this plan; what was handed in belongs to who made it.</summary>
    public async Task DisposeOwnedAsync()
    {
        foreach (object owned in Owned.Distinct(ReferenceEqualityComparer.Instance))
        {
            try
            {
                if (owned is IAsyncDisposable asynchronous)
                    await asynchronous.DisposeAsync().ConfigureAwait(false);
                else
                    (owned as IDisposable)?.Dispose();
            }
            catch (Exception exception)   // the credentials are ended; one bad plug-in must not hide the report
            {
                Logger.PluginDisposalFailed(Job, owned.GetType().Name, exception.GetType().Name);
            }
        }
    }
}
