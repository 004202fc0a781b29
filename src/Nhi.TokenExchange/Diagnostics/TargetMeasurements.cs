using System.Diagnostics.Metrics;

namespace Nhi.TokenExchange;

/// <summary>What one target reports to the instruments. Off the hit path; never throws.</summary>
internal sealed class TargetMeasurements(ExchangeMeter meter, TargetPlan plan, TimeProvider time)
{
    private readonly KeyValuePair<string, object?>[] _tags = TelemetryTags.Of(plan);

    public void Issued(bool isRefresh) => Count(isRefresh ? meter.Refreshed : meter.Issued);

    public void Rejected() => Count(meter.Rejected);

    public void Ended(LeaseEnd end) => Count(meter.Ended, (TelemetryNames.OutcomeTag, TelemetryNames.Of(end)));

    /// <summary>A flight brought nothing. Where that happened at the target before, which counts it too, this one's says so.</summary>
    public void Failed(TokenExchangeException failure)
    {
        Counter<long> counter = failure is AccessDeniedException ? meter.Denials : meter.Failures;
        (string Tag, string Value) stage = (TelemetryNames.StageTag, TelemetryNames.Of(failure.Stage));
        (string Tag, string Value) error = (TelemetryNames.ErrorTag, failure.Code);
        if (plan.Through is not null && failure.Target != plan.Name)
            Count(counter, stage, error, (TelemetryNames.OutcomeTag, TelemetryNames.HopFailed));
        else
            Count(counter, stage, error);
    }

    /// <summary>Takes the time of an exchange, successful or not.</summary>
    public async Task<TResult> TimeAsync<TResult>(Func<Task<TResult>> exchange)
    {
        long started = time.GetTimestamp();
        try
        {
            TResult issued = await exchange().ConfigureAwait(false);
            Record(started);
            return issued;
        }
        catch (Exception exception)
        {
            Record(started, (TelemetryNames.ErrorTag, TelemetryNames.Of(exception)));
            throw;
        }
    }

    private void Record(long started, params ReadOnlySpan<(string Tag, string Value)> more)
    {
        if (!meter.Duration.Enabled)
            return;
        KeyValuePair<string, object?>[] tags = With(more);
        double seconds = time.GetElapsedTime(started).TotalSeconds;
        Quietly.Do(() => meter.Duration.Record(seconds, tags));
    }

    private void Count(Counter<long> counter, params ReadOnlySpan<(string Tag, string Value)> more)
    {
        if (!counter.Enabled)
            return;
        KeyValuePair<string, object?>[] tags = With(more);
        Quietly.Do(() => counter.Add(1, tags));
    }

    private KeyValuePair<string, object?>[] With(ReadOnlySpan<(string Tag, string Value)> more)
    {
        var tags = new KeyValuePair<string, object?>[_tags.Length + more.Length];
        _tags.CopyTo(tags, 0);
        for (int i = 0; i < more.Length; i++)
            tags[_tags.Length + i] = new KeyValuePair<string, object?>(more[i].Tag, more[i].Value);
        return tags;
    }
}
