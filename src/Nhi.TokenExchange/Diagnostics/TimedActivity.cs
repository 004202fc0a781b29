using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>An activity from its start to its disposal, in the time of the job's clock; nothing if nobody listens. A listener that throws breaks nothing.</summary>
internal sealed class TimedActivity : IDisposable
{
    private static readonly TimedActivity OfNobody = new(TimeProvider.System);

    private readonly TimeProvider _time;
    private readonly DateTimeOffset _start;
    private readonly long _timestamp;
    private Activity? _activity;

    private TimedActivity(TimeProvider time)
    {
        _time = time;
        _start = time.GetUtcNow();
        _timestamp = time.GetTimestamp();
    }

    /// <summary>By which others can be its children, also when it is over; default: nobody listens.</summary>
    public ActivityContext Context => _activity?.Context ?? default;

    /// <param name="source">Whose.</param>
    /// <param name="name">Its name.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="links">What it links to.</param>
    /// <param name="clock">The job's.</param>
    /// <param name="parent">Whose child it is; default: that of what is going on.</param>
    public static TimedActivity Start(ActivitySource source, string name, IEnumerable<KeyValuePair<string, object?>> tags, IEnumerable<ActivityLink>? links, AgreedClock clock, ActivityContext parent = default)
    {
        if (!source.HasListeners())
            return OfNobody;
        var timed = new TimedActivity(clock.Provider);
        Quietly.Do(() => timed._activity = source.StartActivity(name, ActivityKind.Internal, parent, tags, links, timed._start));
        return timed;
    }

    /// <summary>Says how it ended: a word of <see cref="TelemetryNames"/>.</summary>
    public void Outcome(string outcome) => Quietly.Do(() => _activity?.SetTag(TelemetryNames.OutcomeTag, outcome));

    /// <summary>Says what failed. The status has no description: an issuer's words could quote a token.</summary>
    public void Failed(string code) => Quietly.Do(() => _activity?.SetTag(TelemetryNames.ErrorTag, code).SetStatus(ActivityStatusCode.Error));

    public void Dispose() => Quietly.Do(() =>
    {
        // Wall start and monotonic duration: a clock that is set meanwhile makes no activity longer or shorter.
        _activity?.SetEndTime((_start + _time.GetElapsedTime(_timestamp)).UtcDateTime);
        _activity?.Dispose();
    });
}
