using System.Globalization;
using Spectre.Console;

namespace Nhi.TokenExchange;

/// <summary>Writes what doctor found for people: a line a stage, then what to do about the first failure of each target.</summary>
internal static class DoctorText
{
    public static void Write(DoctorReport report, Screen screen)
    {
        Write("job", report.Job, screen);
        foreach (TargetReport target in report.Targets)
            Write($"target {target.Target}", target.Stages, screen);
        screen.Console.MarkupLine(report.FirstFailure is { } failure
            ? $"[red]{Markup.Escape($"{WordOf(failure.Stage)}: {failure.Code}")}[/] is why."
            : "[green]Nothing is wrong.[/]");
    }

    private static void Write(string title, IReadOnlyList<StageResult> stages, Screen screen)
    {
        screen.Console.MarkupLine($"[bold]{Markup.Escape(title)}[/]");
        Grid grid = new Grid()
            .AddColumn(new GridColumn().NoWrap().PadLeft(2).PadRight(1)).AddColumn(new GridColumn().NoWrap().PadRight(1))
            .AddColumn(new GridColumn().NoWrap().RightAligned().PadRight(1)).AddColumn(new GridColumn().PadRight(0));
        foreach (StageResult stage in stages)
        {
            (string word, string colour) = stage.Verdict switch { Verdict.Ok => ("ok", "green"), Verdict.Warning => ("look", "yellow"), _ => ("FAILED", "red") };
            string said = stage.Code is null ? stage.Said : $"{stage.Code} {stage.Said}";
            grid.AddRow(new Markup($"[{colour}]{word}[/]"), new Text(WordOf(stage.Stage)), new Text(stage.Took is { } took ? Milliseconds(took) : ""), new Text(said));
        }
        screen.Console.Write(grid);
        // Not folded: it may be a command, to be copied.
        foreach (StageResult stage in stages.Where(stage => stage is { Verdict: not Verdict.Ok, Remedy: not null }))
            screen.Output.WriteLine($"  {WordOf(stage.Stage)}: {stage.Remedy}");
    }

    public static string WordOf(Stage stage) => stage.ToString().ToLowerInvariant();

    private static string Milliseconds(TimeSpan took) => string.Create(CultureInfo.InvariantCulture, $"{took.TotalMilliseconds:0} ms");
}
