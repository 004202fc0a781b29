using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Soak;

/// <summary>Hears all that the process says: logs at Trace, traces and metrics of every source.</summary>
internal sealed class Heard : ILoggerFactory, ILogger
{
    private readonly SaidFile _log;
    private readonly SaidFile _traces;
    private readonly SaidFile _metrics;
    private readonly ActivityListener _activityListener;
    private readonly MeterListener _meterListener = new();

    public Heard(string folder)
    {
        _log = new SaidFile(Path.Combine(folder, "log.txt"));
        _traces = new SaidFile(Path.Combine(folder, "traces.txt"));
        _metrics = new SaidFile(Path.Combine(folder, "metrics.txt"));
        _activityListener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Hear,
        };
        ActivitySource.AddActivityListener(_activityListener);
        _meterListener.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meterListener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Hear(instrument, tags));
        _meterListener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Hear(instrument, tags));
        _meterListener.Start();
    }

    public void Observe() => _meterListener.RecordObservableInstruments();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        _log.Say(state.ToString());
        return null;
    }

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        _log.Say(formatter(state, exception));
        if (exception is not null)
            _log.Say(exception);
    }

    public void Dispose()
    {
        _activityListener.Dispose();
        _meterListener.Dispose();
        _log.Dispose();
        _traces.Dispose();
        _metrics.Dispose();
    }

    private void Hear(Activity activity)
    {
        _traces.Say($"{activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
        foreach (KeyValuePair<string, object?> tag in activity.TagObjects)
            _traces.Say($"{tag.Key}={tag.Value}");
        foreach (KeyValuePair<string, string?> item in activity.Baggage)
            _traces.Say($"{item.Key}={item.Value}");
        foreach (ActivityEvent one in activity.Events)
            _traces.Say($"{one.Name} {string.Join(' ', one.Tags.Select(tag => $"{tag.Key}={tag.Value}"))}");
    }

    private void Hear(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (KeyValuePair<string, object?> tag in tags)
            _metrics.Say($"{instrument.Meter.Name} {instrument.Name} {tag.Key}={tag.Value}");
    }
}
