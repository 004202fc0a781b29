using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>What is left of requests that were refused: each counts in the metrics; in the log stand as many a minute as somebody may read, and how many more there were; of those that proved nothing the audit has the first of a minute, and how many more.</summary>
/// <param name="session">Whose audit it is.</param>
/// <param name="logger">The log.</param>
/// <param name="time">The clock.</param>
internal sealed class RefusalRecord(JobSession session, ILogger logger, TimeProvider time)
{
    private const int MostLinesAMinute = 100;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // The meter of the library, by the same name: who listens to one listens to both.
    private static readonly Meter OfBrokers = new("Nhi.TokenExchange", typeof(RefusalRecord).Assembly.GetName().Version?.ToString(3));
    private static readonly Counter<long> Refusals = OfBrokers.CreateCounter<long>("nhi.broker.refusals", "{request}", "Requests that a broker refused.");

    private readonly Lock _gate = new();
    private long _began = time.GetTimestamp();
    private int _lines;
    private int _untold;
    private int _strangers;

    /// <param name="refusal">What was said.</param>
    /// <param name="route">Where it was asked.</param>
    /// <param name="caller">Who asked, as far as it is known.</param>
    /// <param name="peer">The other end.</param>
    /// <returns>Null; or, there were so many that this one is not told of, how long that is so.</returns>
    public TimeSpan? Add(BrokerRefusal refusal, BrokerRoute route, string caller, Peer peer)
    {
        Refusals.Add(1, new("nhi.broker.protocol", route.Word), new("nhi.outcome", refusal.Word));
        bool isTold, isFirst;
        (int Untold, int Strangers) before = default;
        TimeSpan since;
        lock (_gate)
        {
            since = time.GetElapsedTime(_began);
            if (since >= Window)
            {
                (_began, since) = (time.GetTimestamp(), TimeSpan.Zero);
                before = Forget();
                _lines = 0;
            }
            isTold = _lines < MostLinesAMinute;
            if (isTold)
                _lines++;
            else
                _untold++;
            isFirst = refusal.IsOfStranger && ++_strangers == 1;
        }
        _ = TellAsync(before);
        if (isTold)
            logger.Refused(refusal.Status, refusal.Message, route.Protocol, caller);
        if (isFirst)
            _ = session.RecordRefusalAsync($"{refusal.Message} ({route.Protocol})", peer.ToCaller());
        return isTold ? null : Window - since;
    }

    /// <summary>Tells of those that were not told of: the broker stops.</summary>
    public Task EndAsync()
    {
        (int Untold, int Strangers) left;
        lock (_gate)
            left = Forget();
        return TellAsync(left);
    }

    private (int Untold, int Strangers) Forget()
    {
        (int Untold, int Strangers) past = (_untold, _strangers);
        (_untold, _strangers) = (0, 0);
        return past;
    }

    private Task TellAsync((int Untold, int Strangers) past)
    {
        if (past.Untold > 0)
            logger.MoreRefused(past.Untold);
        return past.Strangers > 1 && !session.Ended.IsCancellationRequested ? session.RecordRefusalAsync(FormattableString.Invariant($"{past.Strangers - 1} more requests that proved nothing were refused within a minute")) : Task.CompletedTask;
    }
}
