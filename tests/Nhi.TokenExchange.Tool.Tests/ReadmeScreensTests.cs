using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>The screens of the README, in its order: each command as it stands there, and what it says.</summary>
/// <remarks>What chance and the clock give is taken out of both; of the environment only the path counts, so no platform is recognized. A line of a screen that is "…" stands for any number of lines.</remarks>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed partial class ReadmeScreensTests
{
    private const string Section = "## From the command line\n";

    [Test]
    public async Task Each_screen_of_the_README_is_what_its_command_says()
    {
        string text = (await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"))).Split(Section)[1].Split("\n## ")[0];
        string start = Emulator().Match(text).Groups["line"].Value;
        string[] screens = [.. Screens().Matches(text).Select(screen => screen.Groups["text"].Value)];
        Assert.That(start, Does.StartWith("emulator "));
        Assert.That(screens, Has.Length.EqualTo(4));
        string folder = Directory.CreateTempSubdirectory("nhi-readme-").FullName;
        try
        {
            using RunningTool emulator = await RunningTool.StartInAsync(folder, "Ctrl-C ends it.", start.Split(' '));
            foreach (string screen in screens)
                await AssertIsSaidAsync(screen, folder);
            Assert.That(await emulator.TerminateAsync(), Is.Zero);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task AssertIsSaidAsync(string screen, string folder)
    {
        string[] lines = screen.TrimEnd('\n').Split('\n');
        ToolRun run = await ToolRun.OfAsync("env", folder, new Dictionary<string, string>(), "-i", $"PATH={Environment.GetEnvironmentVariable("PATH")}", $"HOME={folder}", "sh", "-c", $"nhi() {{ dotnet '{typeof(NhiCommand).Assembly.Location}' \"$@\"; }}\n{lines[0]} 2>&1");
        Queue<string> said = new(run.Output.TrimEnd('\n').Split('\n'));
        bool isGap = false;
        foreach (string line in lines.Skip(1))
        {
            if (line.Trim() == "…")
            {
                isGap = true;
                continue;
            }
            while (isGap && said.TryPeek(out string? left) && Lasting(left) != Lasting(line))
                said.Dequeue();
            Assert.That(said.TryDequeue(out string? next) ? Lasting(next) : null, Is.EqualTo(Lasting(line)), $"{lines[0]}\n{run.All}");
            isGap = false;
        }
        Assert.That(isGap || said.Count == 0, Is.True, $"it says more than is shown\n{lines[0]}\n{run.All}");
    }

    private static string Lasting(string line) => Spaces().Replace(Chance().Replace(line, "*"), " ").Trim();

    [GeneratedRegex(@"^nhi (?<line>emulator [^&#\n]*[^&#\s])", RegexOptions.Multiline)]
    private static partial Regex Emulator();

    [GeneratedRegex(@"```text\n\$ (?<text>nhi .*?)```", RegexOptions.Singleline)]
    private static partial Regex Screens();

    [GeneratedRegex(@"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)|\b[0-9a-f]{16}\b|127\.0\.0\.1:\d+|\b\d+ ms\b|\b00:59:\d\d\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\+\d\d:\d\d:\d\d\.\d{3}|\bemu-[0-9a-f]{8}\b|\buser \d+ \(client [0-9a-f]{8}-\d+\)|\b\d+ events?\b|-\d+-20\d{6}T\d{9}\b")]
    private static partial Regex Chance();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
