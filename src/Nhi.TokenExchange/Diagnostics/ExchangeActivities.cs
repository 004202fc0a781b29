using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The activities of one target: one for each flight, one for each of its stages.</summary>
/// <remarks>
/// A flight belongs to nobody: it serves all who wait, outlives a caller that gives up, and a refresh has no caller at all. So its activity begins a
/// trace of its own and only links to the activity of the caller that happened to start it: that caller's trace leads here, and his time
/// is not said to be spent in what others wait for too. Stages are children of their flight, and what sends requests in them (HTTP) their child in turn.
/// </remarks>
internal sealed class ExchangeActivities(TargetPlan plan, AgreedClock clock)
{
    /// <summary>Of all activities of this library.</summary>
    public static ActivitySource Source { get; } = new(TelemetryNames.Source, TelemetryNames.Version);

    private readonly KeyValuePair<string, object?>[] _tags = TelemetryTags.Of(plan);

    /// <param name="starter">The activity of the caller that started the flight; default if he has none.</param>
    public TimedActivity StartFlight(ActivityContext starter) =>
        TimedActivity.Start(Source, TelemetryNames.Flight, _tags, starter == default ? null : [new ActivityLink(starter)], clock);

    /// <summary>Runs a stage inside an activity; as it is, if nobody listens.</summary>
    public Task<TResult> RunAsync<TResult>(ExchangeStage stage, Func<Task<TResult>> step) => Source.HasListeners() ? ListenedToAsync(stage, step) : step();

    private async Task<TResult> ListenedToAsync<TResult>(ExchangeStage stage, Func<Task<TResult>> step)
    {
        using var activity = TimedActivity.Start(Source, TelemetryNames.OfActivity(stage), _tags, null, clock);
        try
        {
            return await step().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            activity.Failed(TelemetryNames.Of(exception));
            throw;
        }
    }

    /// <summary>As the other, for a stage that is only looked at.</summary>
    public void Run(ExchangeStage stage, Action step)
    {
        using var activity = TimedActivity.Start(Source, TelemetryNames.OfActivity(stage), _tags, null, clock);
        try
        {
            step();
        }
        catch (Exception exception)
        {
            activity.Failed(TelemetryNames.Of(exception));
            throw;
        }
    }

    /// <summary>As the first, for a stage that gives nothing.</summary>
    public Task RunAsync(ExchangeStage stage, Func<ValueTask> step) => RunAsync(stage, async () =>
    {
        await step().ConfigureAwait(false);
        return true;
    });

    /// <summary>Runs a revocation inside an activity. It ends with what is true of the credential, not with an exception.</summary>
    public async Task<RevocationAnswer> RunAsync(Func<Task<(LeaseEnd End, string? Failure)>> revoke)
    {
        using var activity = TimedActivity.Start(Source, TelemetryNames.OfActivity(ExchangeStage.Revoke), _tags, null, clock);
        (LeaseEnd end, string? failure) = await revoke().ConfigureAwait(false);
        if (end == LeaseEnd.Failed)
            activity.Failed(ErrorCodes.RevocationFailed);
        activity.Outcome(TelemetryNames.Of(end));
        return new RevocationAnswer(end, failure, activity.Context);
    }

    /// <summary>Records an end beside the ending, and in its trace all the same.</summary>
    /// <param name="trace">The activity in which it was ended; default: there was none.</param>
    /// <param name="record">Records; never fails.</param>
    /// <returns>Whether it is recorded.</returns>
    public async Task<bool> RecordAsync(ActivityContext trace, Func<Task<bool>> record)
    {
        if (trace == default)
            return await record().ConfigureAwait(false);
        using var activity = TimedActivity.Start(Source, TelemetryNames.OfActivity(ExchangeStage.Record), _tags, null, clock, trace);
        bool isRecorded = await record().ConfigureAwait(false);
        if (!isRecorded)
            activity.Failed(ErrorCodes.NotRecorded);
        return isRecorded;
    }
}
