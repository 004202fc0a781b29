using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>When a rule counts: hours of days in a time zone, between two instants.</summary>
/// <param name="days">Bit 0 is Sunday: the days on which the hours begin.</param>
/// <param name="from">Minutes after midnight.</param>
/// <param name="to">Minutes after midnight, up to 1440; before <paramref name="from"/> it is on the next day.</param>
/// <param name="zone">Whose clock it is.</param>
/// <param name="notBefore">Nothing before.</param>
/// <param name="notAfter">Nothing from then on.</param>
internal sealed class TimeWindow(int days, int from, int to, TimeZoneInfo zone, DateTimeOffset? notBefore, DateTimeOffset? notAfter)
{
    public const int AllDays = 0b111_1111;
    public const int DayLength = 24 * 60;

    // A week, and the day before.
    private const int DaysAhead = 8;

    public DateTimeOffset? NotAfter => notAfter;

    private DateTimeOffset? NotBefore => notBefore;

    private bool IsDaily => days != AllDays || from != 0 || to != DayLength;

    /// <summary>Whether an instant is inside, and when that changes next; null if it never does.</summary>
    public (bool IsInside, DateTimeOffset? ChangesAt) At(DateTimeOffset now)
    {
        if (notAfter <= now)
            return (false, null);
        if (now < notBefore)
            return (false, notBefore);
        if (!IsDaily)
            return (true, notAfter);
        DateTimeOffset? end = null;
        foreach ((DateTimeOffset opens, DateTimeOffset closes) in Around(now))
        {
            if (opens <= (end ?? now) && closes > (end ?? now))
                end = closes;   // the next one may go on where this one ends
            else if (end is null && opens > now)
                return (false, opens < notAfter || notAfter is null ? opens : null);
        }
        return (end is not null, end is null || notAfter < end ? notAfter : end);
    }

    /// <summary>In words, for a reason.</summary>
    public string Expected
    {
        get
        {
            string hours = IsDaily ? $"{DaysInWords}{Clock(from)} to {Clock(to)} {zone.Id}" : "";
            string begin = notBefore is { } first ? $"from {Instant(first)}" : "";
            string until = notAfter is { } last ? $"before {Instant(last)}" : "";
            return string.Join(", ", new[] { hours, begin, until }.Where(part => part.Length > 0));
        }
    }

    public static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Whether every instant inside the other is inside this one, as far as the texts show.</summary>
    public bool Covers(TimeWindow? other) =>
        (!IsDaily || (other is not null && other.HasHoursOf(days, from, to, zone)))
        && (notBefore is null || other?.NotBefore >= notBefore) && (notAfter is null || other?.NotAfter <= notAfter);

    private bool HasHoursOf(int otherDays, int otherFrom, int otherTo, TimeZoneInfo otherZone) => (days & ~otherDays) == 0 && from == otherFrom && to == otherTo && zone.Id == otherZone.Id;

    private string DaysInWords => days == AllDays ? "" : string.Join(' ', Enumerable.Range(0, 7).Where(day => (days >> day & 1) != 0).Select(day => TimeReading.DayNames[day])) + " ";

    private IEnumerable<(DateTimeOffset Opens, DateTimeOffset Closes)> Around(DateTimeOffset now)
    {
        DateTime today = TimeZoneInfo.ConvertTime(now, zone).Date;
        for (int ahead = -1; ahead <= DaysAhead; ahead++)
        {
            DateTime day = today.AddDays(ahead);
            if ((days >> (int)day.DayOfWeek & 1) == 0)
                continue;
            DateTimeOffset opens = InstantOf(day.AddMinutes(from));
            DateTimeOffset closes = InstantOf(day.AddMinutes(to > from ? to : to + DayLength));
            if (opens < closes)   // both in the hour that a spring leaves out
                yield return (opens, closes);
        }
    }

    // An hour that a spring leaves out is told by the standard time, and so is one that an autumn has twice.
    private DateTimeOffset InstantOf(DateTime local)
    {
        TimeSpan offset = zone.IsInvalidTime(local) ? zone.GetUtcOffset(local.AddHours(-3)) : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }

    private static string Clock(int minutes) => string.Create(CultureInfo.InvariantCulture, $"{minutes / 60:00}:{minutes % 60:00}");
}
