using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>How much a spool may hold, and holds: what its folder held when it was looked at last, and what the session has written since. Other sessions may share the folder.</summary>
/// <remarks>
/// An event takes its room before it is written, and gives it back if it was not. Where there is none, the folder is looked at again before the event is refused: the room may have come without a word to this session.
/// Without a credential of its own the shipper could not empty a full spool, and without room for the events of that credential's flight there is none. So those have a reserve; and when that is used up, room for a flight
/// every few minutes, up to four times the bound: there an operator has to make room.
/// </remarks>
internal sealed class SpoolRoom(AuditCollectorPlan plan, TimeProvider time)
{
    // Of the bound: 64 KiB at the least, some flights.
    private const int ReservePart = 16;

    // Of the bound: the end of it, also for the credential that empties the spool.
    private const int MostTimes = 4;

    // A dozen events, of two hops and the target: about a kilobyte each.
    private const int FlightBytes = 64 << 10;
    private static readonly TimeSpan FlightEvery = TimeSpan.FromMinutes(5);

    // To look is a call of the disk for each file.
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookAnyway = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<bool> _given = new();

    // The writer's thread alone; others read whether an event was refused.
    private long _held;
    private long _taken;
    private int _refused;
    private long? _lookedAt;
    private long _beyond;
    private long? _beyondSince;

    /// <summary>Whether the last event found no room.</summary>
    public bool HasRefused => _refused > 0;

    /// <summary>Takes an event's room. The writer's thread alone.</summary>
    /// <param name="bytes">How long its line is.</param>
    /// <param name="target">Its target.</param>
    /// <returns>False: there is none.</returns>
    public bool TryTake(int bytes, string? target)
    {
        if (TakeGiven() || IsOlderThan(LookAnyway))   // other sessions write there, too
            Look();
        bool fits = Fits(bytes, target);
        if (!fits && IsOlderThan(LookAgainAfter))
        {
            Look();
            fits = Fits(bytes, target);
        }
        if (!plan.Needs(target))
            _refused = fits ? 0 : bytes;
        _taken += fits ? bytes : 0;
        return fits;
    }

    /// <summary>The events whose room was taken are written, or will never be. The writer's thread alone.</summary>
    public void Settle(bool areWritten) => (_held, _taken) = (_held + (areWritten ? _taken : 0), 0);

    /// <summary>A file was taken away, or is another one now: the folder is looked at again.</summary>
    public void Give() => _given.Enqueue(true);

    /// <summary>Whether the last event found no room, and would find none now. Looks into the folder; the disk may hang.</summary>
    public bool LookWhetherFull()
    {
        try
        {
            return _refused is > 0 and var bytes && Measured() + bytes > plan.SpoolBytes;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            return true;   // as it was when the event came
        }
    }

    private bool Fits(int bytes, string? target)
    {
        long after = _held + _taken + bytes;
        return after <= plan.SpoolBytes || (plan.Needs(target) && (after <= plan.SpoolBytes + (plan.SpoolBytes / ReservePart) || (after <= MostTimes * plan.SpoolBytes && FitsBeyond(bytes))));
    }

    private bool FitsBeyond(int bytes)
    {
        if (_beyondSince is not { } since || time.GetElapsedTime(since) >= FlightEvery)
            (_beyondSince, _beyond) = (time.GetTimestamp(), 0);
        if (_beyond > 0 && _beyond + bytes > FlightBytes)
            return false;
        _beyond += bytes;
        return true;
    }

    private bool IsOlderThan(TimeSpan age) => _lookedAt is not { } at || time.GetElapsedTime(at) >= age;

    private bool TakeGiven()
    {
        bool isGiven = false;
        while (_given.TryDequeue(out _))
            isGiven = true;
        return isGiven;
    }

    private void Look()
    {
        _lookedAt = time.GetTimestamp();
        Quietly.Do(() => _held = Measured());
    }

    private long Measured() => plan.Disk.BytesIn(plan.Spool);
}
