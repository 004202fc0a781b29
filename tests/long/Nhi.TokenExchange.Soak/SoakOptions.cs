using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>What a run is told on its command line.</summary>
internal sealed record SoakOptions
{
    /// <summary>A run of so many seconds is long enough for means and slopes to say something.</summary>
    public const int LongFrom = 240;

    private const string Head = """
        soak [--minutes N | --seconds N] [--seed N] [--jobs N] [--life MIN-MAX] [--faults on|off|NAME] [--long on|off] [--bug NAME] [--report FILE.md] [--keep FOLDER]

          --minutes, --seconds  how long jobs run; default 30 seconds
          --seed                decides jobs, lives and faults; default 20261128
          --jobs                virtual jobs at a time; default 24
          --life                how long a credential is handed out, in seconds; default 5-20
          --faults              whether anything goes wrong, or the one thing that does; default on
          --long                whether means and slopes are judged; default in runs of four minutes and more
          --bug                 plants a bug that the checker has to find
          --report              writes the report there as Markdown, and beside it as JSON
          --keep                keeps all that the run wrote in that folder

        Exit code 0: all invariants held. 1: one did not; the report says which. 2: wrong usage. 3: the run itself failed.
        """;

    // A job lives a sixth of the run at least, and its longest duration may be a part of that.
    private const int FewestSeconds = 6;

    private static readonly string[] Names = ["--minutes", "--seconds", "--seed", "--jobs", "--life", "--faults", "--long", "--bug", "--report", "--keep", "--child"];

    public static string Usage { get; } = $"{Head}\n\nFaults: {string.Join(", ", ChaosFault.All.Select(fault => fault.Id))}.\n\nBugs: {string.Join(", ", PlantedBug.All.Select(bug => bug.Name))}.";

    public int Seconds { get; init; } = 30;

    public int Seed { get; init; } = 20261128;

    public int Jobs { get; init; } = 24;

    public int ShortestLife { get; init; } = 5;

    public int LongestLife { get; init; } = 20;

    public bool Faults { get; init; } = true;

    /// <summary>The one fault that is planned; null for all.</summary>
    public string? OnlyFault { get; init; }

    /// <summary>Whether means and slopes are judged; null where the length decides.</summary>
    public bool? Long { get; init; }

    public string? Bug { get; init; }

    public string? Report { get; init; }

    public string? Keep { get; init; }

    /// <summary>Set by the run itself: this process is the one under test, and this file says all it has to know.</summary>
    public string? Child { get; init; }

    /// <summary>Nothing goes wrong at the end, so that everything can come to rest: 10 seconds, less in short runs.</summary>
    public double CalmSeconds => Math.Min(10, Seconds / 6.0);

    /// <summary>In which time all jobs have begun: a sixth of the run, ten seconds at most.</summary>
    public TimeSpan RampUp => TimeSpan.FromSeconds(Math.Min(10, Seconds / 6.0));

    /// <summary>Whether means and slopes are judged.</summary>
    public bool IsLong => Long ?? Seconds >= LongFrom;

    /// <summary>Reads a command line.</summary>
    /// <exception cref="FormatException">It is wrong; the message says where.</exception>
    public static SoakOptions Parse(string[] args)
    {
        if (args.Contains("--minutes") && args.Contains("--seconds"))
            throw new FormatException("Give --minutes or --seconds, not both.");
        var options = new SoakOptions();
        for (int at = 0; at < args.Length; at += 2)
        {
            string name = args[at];
            if (!Names.Contains(name))
                throw new FormatException($"{name} is not known.");
            string value = at + 1 < args.Length ? args[at + 1] : throw new FormatException($"{name} has no value.");
            options = name switch
            {
                "--minutes" => options with { Seconds = 60 * Number(name, value, 1, 24 * 60) },
                "--seconds" => options with { Seconds = Number(name, value, FewestSeconds, 24 * 3600) },
                "--seed" => options with { Seed = Number(name, value, 0, int.MaxValue) },
                "--jobs" => options with { Jobs = Number(name, value, 1, 1000) },
                "--life" => value.Split('-') is [var least, var most]
                    ? options with { ShortestLife = Number(name, least, 4, 600), LongestLife = Number(name, most, 4, 600) }
                    : throw new FormatException("--life wants two numbers of seconds, such as 5-20."),
                "--faults" when value is "on" or "off" => options with { Faults = value == "on" },
                "--faults" => options with { OnlyFault = ChaosFault.All.FirstOrDefault(fault => fault.Id == value)?.Id ?? throw new FormatException($"--faults is on, off, or one of: {string.Join(", ", ChaosFault.All.Select(fault => fault.Id))}.") },
                "--long" => options with { Long = value switch { "on" => true, "off" => false, _ => throw new FormatException("--long is on or off.") } },
                "--bug" => options with { Bug = PlantedBug.Named(value)?.Name ?? throw new FormatException($"There is no bug {value}; there are: {string.Join(", ", PlantedBug.All.Select(bug => bug.Name))}.") },
                "--report" => options with { Report = value.EndsWith(".md", StringComparison.Ordinal) ? Path.GetFullPath(value) : throw new FormatException("--report wants a file that ends in .md; the JSON is written beside it.") },
                "--keep" => options with { Keep = Path.GetFullPath(value) },
                _ => options with { Child = value },
            };
        }

        return options.ShortestLife <= options.LongestLife ? options : throw new FormatException("--life wants the shorter one first.");
    }

    private static int Number(string name, string value, int least, int most) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} wants a whole number from {least} to {most}.");
}
