using System.Globalization;

namespace BrokerLoad;

/// <summary>What a run is told on its command line.</summary>
/// <param name="Clients">How many ask at once.</param>
/// <param name="Time">How long each side is asked.</param>
/// <param name="Report">Where the page is written, and the JSON beside it; null: nowhere.</param>
internal sealed record LoadOptions(int Clients, TimeSpan Time, string? Report)
{
    public const string Usage = """
        BrokerLoad [CLIENTS [SECONDS [REPORT.md]]]

          CLIENTS    how many ask at once, 1 to 10000; default 1000
          SECONDS    how long each side is asked, 10 to 3600; default 60
          REPORT.md  writes the report there as Markdown, and beside it as JSON

        Exit code 0: all is well. 1: an error, more calls at the issuer than there are grants that differ, or an attack that was not refused. 2: wrong usage.
        """;

    // What sends drop by drop is cut off after five seconds, and has to be seen to be.
    private const int FewestSeconds = 10;

    /// <summary>Reads a command line.</summary>
    /// <exception cref="FormatException">It is wrong; the message says where.</exception>
    public static LoadOptions Parse(string[] args) => args.Length > 3
        ? throw new FormatException($"{args[3]} is one argument too many.")
        : new LoadOptions(
            Number("CLIENTS", args.ElementAtOrDefault(0) ?? "1000", 1, 10_000),
            TimeSpan.FromSeconds(Number("SECONDS", args.ElementAtOrDefault(1) ?? "60", FewestSeconds, 3600)),
            ReportFile(args.ElementAtOrDefault(2)));

    private static string? ReportFile(string? path) => path?.EndsWith(".md", StringComparison.Ordinal) == false
        ? throw new FormatException("REPORT.md has to end in .md; the JSON is written beside it.")
        : path is null ? null : Path.GetFullPath(path);

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} wants a whole number from {least} to {most}, not '{value}'.");
}
