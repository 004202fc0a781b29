using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace Worker;

/// <summary>The worker's own settings, beside those of the section TokenExchange.</summary>
internal static class Settings
{
    /// <summary>Where an API is: the setting <c>Apis:NAME</c>.</summary>
    public static Uri AddressOf(this IConfiguration settings, string api) => new(settings.Need($"Apis:{api}"));

    /// <summary>How often the rows are read: the setting <c>Load:Times</c>.</summary>
    public static int Times(this IConfiguration settings) => int.Parse(settings.Need("Load:Times"), CultureInfo.InvariantCulture);

    /// <summary>How long the load waits in between: the setting <c>Load:Pause</c>.</summary>
    public static TimeSpan Pause(this IConfiguration settings) => TimeSpan.Parse(settings.Need("Load:Pause"), CultureInfo.InvariantCulture);

    private static string Need(this IConfiguration settings, string name) => settings[name] ?? throw new InvalidOperationException($"The setting {name} is missing.");
}
