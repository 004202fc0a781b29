using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests;

/// <summary>Hears the activities of our source, and all measurements of a meter factory of its own.</summary>
internal sealed class Telemetry : IDisposable
{
    private readonly ServiceProvider _container = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ActivityListener _activityListener;
    private readonly MeterListener _meterListener = new();
    private readonly ConcurrentQueue<Activity> _stopped = new();
    private readonly ConcurrentQueue<Instrument> _instruments = new();
    private readonly ConcurrentQueue<Measured> _measured = new();

    public Telemetry()
    {
        _activityListener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Nhi.TokenExchange",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(_activityListener);
        _meterListener.InstrumentPublished = (instrument, listener) =>
        {
            if (!ReferenceEquals(instrument.Meter.Scope, Meters))
                return;
            _instruments.Enqueue(instrument);
            listener.EnableMeasurementEvents(instrument);
        };
        _meterListener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => _measured.Enqueue(new Measured(instrument.Name, value, Text(tags))));
        _meterListener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => _measured.Enqueue(new Measured(instrument.Name, value, Text(tags))));
        _meterListener.Start();
    }

    public IMeterFactory Meters => _container.GetRequiredService<IMeterFactory>();

    /// <summary>Those that have ended, in the order of their ends. A flight's has ended when its job has.</summary>
    public IReadOnlyList<Activity> Activities => [.. _stopped];

    public IReadOnlyList<Instrument> Instruments => [.. _instruments];

    public IReadOnlyList<Measured> Measurements => [.. _measured];

    /// <summary>Reads the observable instruments, as an exporter does now and then.</summary>
    /// <returns>What they said.</returns>
    public IReadOnlyList<Measured> Observe()
    {
        int before = _measured.Count;
        _meterListener.RecordObservableInstruments();
        return [.. _measured.Skip(before)];
    }

    public IReadOnlyList<Measured> Of(string instrument) => [.. _measured.Where(one => one.Instrument == instrument)];

    public Activity Single(string name) => _stopped.Single(activity => activity.OperationName == name);

    public static string Text(ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
        string.Join(", ", tags.ToArray().OrderBy(tag => tag.Key, StringComparer.Ordinal).Select(tag => $"{tag.Key}={tag.Value}"));

    public static string Text(Activity activity) => Text(activity.TagObjects.ToArray());

    public void Dispose()
    {
        _activityListener.Dispose();
        _meterListener.Dispose();
        _container.Dispose();
    }
}

internal sealed record Measured(string Instrument, double Value, string Tags);
