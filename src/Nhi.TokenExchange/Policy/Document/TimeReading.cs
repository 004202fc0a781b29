using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Reads when a rule counts.</summary>
internal sealed class TimeReading(PolicyErrors errors)
{
    public static readonly IReadOnlyList<string> DayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private const string HourForm = "Write a time of the day as hh:mm, from 00:00 to 24:00.";
    private const string InstantForm = "Write an instant with its zone: 2026-12-31T18:00:00Z or 2026-12-31T18:00:00+01:00.";
    private const int EarliestYear = 1970;
    private const int LatestYear = 9000;   // far from where the calendar ends

    /// <summary>Reads a window; null if it is none, which is noted.</summary>
    public TimeWindow? Read(PolicyNode node)
    {
        if (PolicyObject.Of(node, errors, "Write { \"days\": [ \"mon\" ], \"from\": \"06:00\", \"to\": \"20:00\", \"zone\": \"Europe/Berlin\" }.") is not { } time)
            return null;
        int before = errors.Count;
        int days = Days(time);
        PolicyNode? from = time.Find("from"), to = time.Find("to");
        int opens = from is null ? 0 : Minutes(time, from, latest: TimeWindow.DayLength - 1);
        int closes = to is null ? TimeWindow.DayLength : Minutes(time, to, TimeWindow.DayLength);
        TimeZoneInfo zone = Zone(time);
        DateTimeOffset? notBefore = Instant(time, "notBefore"), notAfter = Instant(time, "notAfter");
        time.Close();
        if (node.Members.Count == 0)
            errors.Add(node, "is an object without a time", "Write days, from and to, notBefore or notAfter; or leave time out.");
        if (errors.Count == before && (from is null) != (to is null))
            errors.Add(node, "has from or to alone", "Write both.");
        else if (errors.Count == before && opens == closes)
            errors.Add(to!, "is the same as from: the window never is", "Write different times; from 00:00 to 24:00 is the whole day.");
        if (notBefore >= notAfter)
            errors.Add(node, "has a notBefore that is not before its notAfter: the window never is", "Write them the other way round.");
        if (node.Members.Any(member => member.Name == "zone") && from is null && days == TimeWindow.AllDays)
            errors.Add(node, "has a zone and nothing that it is for", "Write days, or from and to, beside it.");
        return errors.Count == before ? new TimeWindow(days, opens, closes, zone, notBefore, notAfter) : null;
    }

    /// <summary>Reads an instant of RFC 3339; null if it is left out or none, which is noted.</summary>
    public DateTimeOffset? Instant(PolicyObject owner, string name)
    {
        if (owner.Find(name) is not { } node || owner.TextOf(node, InstantForm) is not { } text)
            return null;
        string[] forms = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"];
        if (DateTimeOffset.TryParseExact(text, forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset instant) && instant.Year is >= EarliestYear and <= LatestYear)
            return instant;
        errors.Add(node, "is no instant", InstantForm);
        return null;
    }

    private int Days(PolicyObject time)
    {
        if (time.Texts("days", "Write a list of days: [ \"mon\", \"tue\" ].") is not { } entries)
            return TimeWindow.AllDays;
        int days = 0;
        foreach (PolicyNode entry in entries)
        {
            int day = DayNames.ToList().IndexOf(entry.Text!);
            if (day < 0)
                errors.Add(entry, "is no day", $"Write one of: {string.Join(", ", DayNames)}.");
            else
                days |= 1 << day;
        }
        return days;
    }

    private int Minutes(PolicyObject time, PolicyNode node, int latest)
    {
        if (time.TextOf(node, HourForm) is not { } text)
            return 0;
        if (text.Length == 5 && text[2] == ':' && int.TryParse(text.AsSpan(0, 2), NumberStyles.None, CultureInfo.InvariantCulture, out int hours)
            && int.TryParse(text.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out int minutes) && minutes < 60 && (hours * 60) + minutes <= latest)
            return (hours * 60) + minutes;
        errors.Add(node, "is no time of the day", HourForm);
        return 0;
    }

    private TimeZoneInfo Zone(PolicyObject time)
    {
        if (time.Find("zone") is not { } node || time.TextOf(node, "Write the name of a time zone: \"Europe/Berlin\".") is not { } name || name == "UTC")
            return TimeZoneInfo.Utc;
        // A name of the tz database is the same everywhere; others are not.
        if (name.Contains('/', StringComparison.Ordinal) && TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone))
            return zone;
        errors.Add(node, "is no time zone that this machine knows", "Write UTC or a name of the tz database, such as Europe/Berlin, in its own letters; small container images need the package tzdata.");
        return TimeZoneInfo.Utc;
    }
}
