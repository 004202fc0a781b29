using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A JSON number as an instant (RFC 7519 §2: seconds since 1970, a fraction is allowed).</summary>
internal static class NumericDate
{
    // 9999-12-31T23:59:59Z
    private const long LastSecond = 253_402_300_799;

    /// <summary>Longest number looked at; a real one has ten digits.</summary>
    private const int MaxLength = 40;

    /// <summary>Reads a number as it stands in JSON; the fraction is cut off. Never by way of a double, which would round, and take 1e400 as infinity.</summary>
    /// <returns>Null if it is before 1970, after 9999, or too long.</returns>
    public static DateTimeOffset? Read(ReadOnlySpan<char> json)
    {
        if (json.Length > MaxLength || !TryReadWhole(json, out long seconds) || seconds is < 0 or > LastSecond)
            return null;
        return DateTimeOffset.FromUnixTimeSeconds(seconds);
    }

    private static bool TryReadWhole(ReadOnlySpan<char> json, out long seconds)
    {
        seconds = 0;
        if (json.IndexOfAny('e', 'E') < 0)
        {
            int point = json.IndexOf('.');
            return long.TryParse(point < 0 ? json : json[..point], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out seconds) && (seconds > 0 || json[0] != '-');
        }
        if (!decimal.TryParse(json, NumberStyles.Float, CultureInfo.InvariantCulture, out decimal number) || number is < 0 or > LastSecond)
            return false;
        seconds = (long)decimal.Truncate(number);
        return true;
    }
}
