using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

namespace Nhi.TokenExchange;

/// <summary>The instruments: counters and a histogram that flights report to, and two that look at the running sessions when they are collected.</summary>
/// <remarks>
/// Nothing here is on the way of a hit, so hits are not counted. Sessions are held weakly and leave at their end: an instrument keeps none alive.
/// </remarks>
internal sealed class ExchangeMeter
{
    // Seconds: as OpenTelemetry advises for HTTP requests, and on to the 60 s that a flight may take.
    private static readonly double[] Seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 30, 60];

    private static readonly object Present = new();

    // One set of instruments for all sessions of a container: a factory gives the same meter for a name, but a second observable instrument of a name beside the first.
    private static readonly ConditionalWeakTable<IMeterFactory, Lazy<ExchangeMeter>> ByFactory = [];

    private readonly ConditionalWeakTable<JobSession, object> _running = [];

    private ExchangeMeter(Meter meter)
    {
        Issued = meter.CreateCounter<long>(TelemetryNames.Issued, "{credential}", "Credentials issued where none was in hand.");
        Refreshed = meter.CreateCounter<long>(TelemetryNames.Refreshed, "{credential}", "Credentials issued while their predecessor was still good.");
        Rejected = meter.CreateCounter<long>(TelemetryNames.Rejected, "{credential}", "Credentials that a target refused before their end.");
        Ended = meter.CreateCounter<long>(TelemetryNames.Ended, "{credential}", "Credentials ended, by what is true of them afterwards.");
        Failures = meter.CreateCounter<long>(TelemetryNames.Failures, "{failure}", "Flights that brought nothing, denials aside.");
        Denials = meter.CreateCounter<long>(TelemetryNames.Denials, "{denial}", "Flights that were denied.");
        AuditDropped = meter.CreateCounter<long>(TelemetryNames.AuditDropped, "{event}", "Audit events that a sink nobody waits for did not take.");
        LogDropped = meter.CreateCounter<long>(TelemetryNames.LogDropped, "{line}", "Lines of a job's log that were lost, because the log took none and too many waited.");
        Duration = meter.CreateHistogram(TelemetryNames.ExchangeDuration, "s", "Time that the issuer took, all tries together.", tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = Seconds });
        meter.CreateObservableGauge(TelemetryNames.TimeLeft, TimeLeft, "s", "How long the target's credential is still handed out.");
        meter.CreateObservableUpDownCounter(TelemetryNames.Live, Live, "{credential}", "Credentials that live at their issuers and were not ended.");
    }

    /// <summary>For sessions that no container made.</summary>
    public static ExchangeMeter Shared { get; } = new(new Meter(TelemetryNames.Source, TelemetryNames.Version));

    public Counter<long> Issued { get; }

    public Counter<long> Refreshed { get; }

    public Counter<long> Rejected { get; }

    public Counter<long> Ended { get; }

    public Counter<long> Failures { get; }

    public Counter<long> Denials { get; }

    public Counter<long> AuditDropped { get; }

    public Counter<long> LogDropped { get; }

    public Histogram<double> Duration { get; }

    /// <summary>A meter that belongs to a container, so that a host or a test collects its own alone.</summary>
    public static ExchangeMeter Of(IMeterFactory factory)
    {
        try
        {
            return ByFactory.GetValue(factory, static one => new Lazy<ExchangeMeter>(() => new ExchangeMeter(one.Create(new MeterOptions(TelemetryNames.Source) { Version = TelemetryNames.Version })))).Value;
        }
        catch
        {
            ByFactory.Remove(factory);   // else the failure would be kept for as long as the factory lives
            throw;
        }
    }

    public void Add(JobSession session) => _running.AddOrUpdate(session, Present);

    public void Remove(JobSession session) => _running.Remove(session);

    // Of several jobs with a target of that name, the one with the least left is told.
    private IEnumerable<Measurement<double>> TimeLeft() =>
        from running in _running
        from target in running.Key.Targets
        let held = target.Look().Held
        where held is not null
        let left = (running.Key.Clock.InstantOf(held.Lease.WallEnd) - running.Key.Clock.Now).TotalSeconds
        group left by (target.Target, Kind: target.Plan.Exchanger.CredentialType.Name) into lefts
        select new Measurement<double>(lefts.Min(), TelemetryTags.Of(lefts.Key.Target, lefts.Key.Kind));

    private IEnumerable<Measurement<long>> Live() =>
        from running in _running
        let live = running.Key.Leases.CountLive()
        from target in running.Key.Targets
        group live.GetValueOrDefault(target.Target) by (target.Target, Kind: target.Plan.Exchanger.CredentialType.Name) into counts
        select new Measurement<long>(counts.Sum(), TelemetryTags.Of(counts.Key.Target, counts.Key.Kind));
}
