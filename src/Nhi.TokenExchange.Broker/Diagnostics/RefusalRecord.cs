using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>What is left of requests that were refused: each counts in the metrics; in the log stand as many a minute as somebody may read, and how many more there were.</summary>
internal sealed class RefusalRecord(ILogger logger, TimeProvider time)
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

    /// <param name="refusal">What was said.</param>
    /// <param name="route">Where it was asked.</param>
    /// <param name="caller">Who asked, as far as it is known.</param>
    public void Add(BrokerRefusal refusal, BrokerRoute route, string caller)
    {
        Refusals.Add(1, new("nhi.broker.protocol", route.Word), new("nhi.outcome", refusal.Word));
        bool isTold;
        int untold = 0;
        lock (_gate)
        {
            if (time.GetElapsedTime(_began) >= Window)
            {
                _began = time.GetTimestamp();
                (_lines, untold, _untold) = (0, _untold, 0);
            }
            isTold = _lines < MostLinesAMinute;
            if (isTold)
                _lines++;
            else
                _untold++;
        }
        if (untold > 0)
            logger.MoreRefused(untold);
        if (isTold)
            logger.Refused(refusal.Status, refusal.Message, route.Protocol, caller);
    }

    /// <summary>Tells of those that were not told of: the broker stops.</summary>
    public void End()
    {
        int untold;
        lock (_gate)
            (untold, _untold) = (_untold, 0);
        if (untold > 0)
            logger.MoreRefused(untold);
    }
}
