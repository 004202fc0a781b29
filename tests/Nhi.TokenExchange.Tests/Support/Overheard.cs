using System.Collections;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange.Tests;

/// <summary>Collects everything that a process says: logs at Trace, traces, metrics, the console, exceptions with all they hold.</summary>
internal sealed class Overheard : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _said = new();
    private readonly ActivityListener _activities;
    private readonly MeterListener _meters = new();
    private readonly TextWriter _out = Console.Out;
    private readonly TextWriter _error = Console.Error;
    private readonly StringWriter _console = new();

    public Overheard()
    {
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Hear,
        };
        ActivitySource.AddActivityListener(_activities);
        _meters.InstrumentPublished = (instrument, listener) => listener.EnableMeasurementEvents(instrument);
        _meters.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Hear(instrument, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Hear(instrument, tags));
        _meters.Start();
        TextWriter both = TextWriter.Synchronized(_console);
        Console.SetOut(both);
        Console.SetError(both);
    }

    public string Text => string.Join('\n', _said) + _console;

    public int Count => _said.Count;

    /// <summary>Reads the observable instruments, as an exporter does now and then.</summary>
    public void Observe() => _meters.RecordObservableInstruments();

    public void Hear(object? anything) => _said.Enqueue(anything?.ToString() ?? "");

    public void Hear(Exception exception)
    {
        Hear((object)exception);
        for (Exception? one = exception; one is not null; one = one.InnerException)
        {
            Hear((object)one.Message);
            foreach (DictionaryEntry entry in one.Data)
                Hear($"{entry.Key}={entry.Value}");
            foreach (System.Reflection.PropertyInfo property in one.GetType().GetProperties().Where(p => p.GetIndexParameters().Length == 0))
                Hear($"{property.Name}={property.GetValue(one)}");
        }
    }

    public ILogger CreateLogger(string categoryName) => new Ear(this, categoryName);

    public void Dispose()
    {
        Console.SetOut(_out);
        Console.SetError(_error);
        _activities.Dispose();
        _meters.Dispose();
    }

    private void Hear(Activity activity)
    {
        Hear($"{activity.Source.Name} {activity.OperationName} {activity.DisplayName} {activity.StatusDescription}");
        foreach (KeyValuePair<string, object?> tag in activity.TagObjects)
            Hear($"{tag.Key}={tag.Value}");
        foreach (KeyValuePair<string, string?> item in activity.Baggage)
            Hear($"{item.Key}={item.Value}");
        foreach (ActivityLink link in activity.Links)
            Hear($"{link.Context.TraceState} {string.Join(' ', (link.Tags ?? []).Select(tag => $"{tag.Key}={tag.Value}"))}");
        foreach (ActivityEvent one in activity.Events)
            Hear($"{one.Name} {string.Join(' ', one.Tags.Select(tag => $"{tag.Key}={tag.Value}"))}");
    }

    private void Hear(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Hear($"{instrument.Meter.Name} {instrument.Name} {instrument.Unit} {instrument.Description}");
        foreach (KeyValuePair<string, object?> tag in tags)
            Hear($"{instrument.Name} {tag.Key}={tag.Value}");
    }

    private sealed class Ear(Overheard all, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull
        {
            all.Hear(state);
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            all.Hear(string.Create(CultureInfo.InvariantCulture, $"{category} {eventId.Id} {formatter(state, exception)}"));
            if (state is IEnumerable<KeyValuePair<string, object?>> values)
            {
                foreach (KeyValuePair<string, object?> value in values)
                    all.Hear($"{value.Key}={value.Value}");
            }
            if (exception is not null)
                all.Hear(exception);
        }
    }
}
