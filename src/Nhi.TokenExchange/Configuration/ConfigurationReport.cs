using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>One error of a configuration.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Path">The path of the setting, or the call in code.</param>
/// <param name="What">What was wrong, without a full stop.</param>
/// <param name="Remedy">What to do: a sentence.</param>
internal sealed record ConfigurationError(string Code, string Path, string What, string Remedy);

/// <summary>Tells errors for a reader at a console: what is of one target stands together, and what to do has a line of its own.</summary>
internal static class ConfigurationReport
{
    // As wide as "NHI1001 " and the two before it.
    private const int RemedyIndent = 10;

    private enum Room
    {
        Section,
        Identity,
        Target,
        Code,
    }

    /// <summary>The text of all errors, without the code that stands before it.</summary>
    /// <param name="errors">One or more.</param>
    /// <param name="section">The path of the section that was read; null if there is none.</param>
    public static string Of(IReadOnlyList<ConfigurationError> errors, string? section)
    {
        if (errors is [var only])
            return $"{only.Path}: {only.What}. {only.Remedy}";
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{errors.Count} settings are wrong:");
        foreach (IGrouping<(Room Room, string Heading), ConfigurationError> group in errors.GroupBy(error => PlaceOf(error.Path, section)).OrderBy(group => group.Key.Room).ThenBy(group => group.Key.Heading, StringComparer.Ordinal))
        {
            text.AppendLine().AppendLine().Append(group.Key.Heading);
            foreach (ConfigurationError error in group)
                text.AppendLine().Append(CultureInfo.InvariantCulture, $"  {error.Code} {error.Path}: {error.What}.").AppendLine().Append(' ', RemedyIndent).Append(error.Remedy);
        }
        return text.ToString();
    }

    private static (Room Room, string Heading) PlaceOf(string path, string? section)
    {
        bool isInSection = section is not null && (path.Equals(section, StringComparison.OrdinalIgnoreCase) || path.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase));
        string[] steps = (isInSection ? path[section!.Length..].TrimStart(':') : path).Split(':');
        if (steps.Length > 1 && steps[0].Equals("Targets", StringComparison.OrdinalIgnoreCase))
            return (Room.Target, $"Target '{steps[1]}'");
        if (steps.Length > 1 && steps[0].Equals("Identities", StringComparison.OrdinalIgnoreCase))
            return (Room.Identity, $"Identity '{steps[1]}'");
        if (!isInSection)
            return (Room.Code, "In code");
        return (Room.Section, steps.Length > 1 ? $"{section}:{steps[0]}" : section!);
    }
}
