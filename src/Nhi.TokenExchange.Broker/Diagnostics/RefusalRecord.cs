using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>What is left of requests that were refused: each counts in the metrics; in the log stand as many a minute as somebody may read, and how many more there were; of those that proved nothing the audit has the first of each user in a minute, and how many more.</summary>
/// <remarks>Who proved himself has lines of his own: a flood of strangers' takes none of them.</remarks>
internal sealed class RefusalRecord
{
    private const int MostLinesAMinute = 100;
    private const int MostUsersAMinute = 16;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    // The meter of the library, by the same name: who listens to one listens to both.
    private static readonly Meter OfBrokers = new("Nhi.TokenExchange", typeof(RefusalRecord).Assembly.GetName().Version?.ToString(3));
    private static readonly Counter<long> Refusals = OfBrokers.CreateCounter<long>("nhi.broker.refusals", "{request}", "Requests that a broker refused.");

    private readonly JobSession _session;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly HashSet<long?> _users = [];
    private readonly ITimer _minutes;
    private long _began;
    private int _ofProven;
    private int _ofStrangers;
    private int _untold;
    private int _unrecorded;

    /// <param name="session">Whose audit it is.</param>
    /// <param name="logger">The log.</param>
    /// <param name="time">The clock.</param>
    public RefusalRecord(JobSession session, ILogger logger, TimeProvider time)
    {
        (_session, _logger, _time, _began) = (session, logger, time, time.GetTimestamp());
        _minutes = time.CreateTimer(static self => _ = ((RefusalRecord)self!).TellAsync(), this, Window, Window);
    }

    /// <param name="refusal">What was said.</param>
    /// <param name="route">Where it was asked.</param>
    /// <param name="caller">Who asked, as far as it is known.</param>
    /// <param name="peer">The other end.</param>
    /// <param name="isStranger">Whether who asked proved nothing.</param>
    /// <returns>Null; or, strangers were refused so often that this one is not told of, how long that is so.</returns>
    public TimeSpan? Add(BrokerRefusal refusal, BrokerRoute route, string caller, Peer peer, bool isStranger)
    {
        Refusals.Add(1, new("nhi.broker.protocol", route.Word), new("nhi.outcome", refusal.Word));
        bool isTold;
        TimeSpan left;
        lock (_gate)
        {
            left = Window - _time.GetElapsedTime(_began);
            isTold = (isStranger ? _ofStrangers++ : _ofProven++) < MostLinesAMinute;
            if (!isTold)
                _untold++;
        }
        if (isTold)
            _logger.Refused(refusal.Status, refusal.Message, route.Protocol, caller);
        if (!isStranger)
            return null;
        // Who asks is a look at the kernel's tables: a flood does not pay for one each.
        long? user = isTold ? peer.UserId : null;
        bool isFirst;
        lock (_gate)
        {
            isFirst = isTold && _users.Count < MostUsersAMinute && _users.Add(user);
            if (!isFirst)
                _unrecorded++;
        }
        if (isFirst)
            _ = _session.RecordRefusalAsync($"{refusal.Message} ({route.Protocol})", peer.ToCaller());
        return isTold ? null : left;
    }

    /// <summary>As <see cref="TellAsync"/>: the broker stops.</summary>
    public async Task EndAsync()
    {
        await _minutes.DisposeAsync().ConfigureAwait(false);
        await TellAsync().ConfigureAwait(false);
    }

    /// <summary>Tells of those that were not told of: a minute is over, and the next begins.</summary>
    public Task TellAsync()
    {
        int untold, unrecorded;
        lock (_gate)
        {
            (untold, unrecorded) = (_untold, _unrecorded);
            (_untold, _unrecorded, _ofStrangers, _ofProven, _began) = (0, 0, 0, 0, _time.GetTimestamp());
            _users.Clear();
        }
        if (untold > 0)
            _logger.MoreRefused(untold);
        return unrecorded > 0 ? _session.RecordRefusalAsync(FormattableString.Invariant($"{unrecorded} more requests that proved nothing were refused within a minute")) : Task.CompletedTask;
    }
}
