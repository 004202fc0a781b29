using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>README and docs show only what compiles and link only to what is there; the README gives no command that .ci/run does not run.</summary>
public partial class ReadmeTests
{
    private static readonly string Readme = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));

    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Concat(Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src")).Select(project => Path.Combine(project, "README.md")))
            .Select(file => Path.GetRelativePath(Repository.Root, file)).Prepend("README.md").Order(StringComparer.Ordinal);

    [TestCaseSource(nameof(Pages))]
    public void Each_csharp_block_is_a_region_of_a_sample(string page)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, page));
        MatchCollection blocks = CSharpBlocks().Matches(text);
        Assert.That(blocks, Has.Count.EqualTo(text.Split("```csharp").Length - 1), "a block without its snippet comment");
        foreach (Match block in blocks)
            Assert.That(block.Groups["code"].Value.Trim(), Is.EqualTo(Region(block.Groups["file"].Value, block.Groups["region"].Value)), block.Groups["file"].Value);
    }

    [TestCaseSource(nameof(Pages))]
    public void Each_relative_link_leads_somewhere(string page)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, page))!;
        Assert.That(
            Links().Matches(File.ReadAllText(Path.Combine(Repository.Root, page))).Select(link => link.Groups["path"].Value).Where(path => !path.StartsWith("http", StringComparison.Ordinal) && !path.StartsWith('#'))
                .Where(path => !Path.Exists(Path.Combine(folder, path.Split('#')[0]))),
            Is.Empty);
    }

    [Test]
    public void The_test_command_is_marked_for_the_continuous_integration() =>
        Assert.That(Readme, Does.Match("<!-- test-command -->\\s*```(bash|sh)\\n[^\\n]*dotnet test[^\\n]*\\n```"));

    private static string Region(string file, string region)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, file));
        int start = Array.FindIndex(lines, line => line.Trim() == $"#region {region}");
        Assert.That(start, Is.GreaterThanOrEqualTo(0), $"{file} has no region {region}");
        string[] body = [.. lines.Skip(start + 1).TakeWhile(line => line.Trim() != "#endregion")];
        int indent = body.Where(line => line.Length > 0).Min(line => line.Length - line.TrimStart().Length);
        return string.Join('\n', body.Select(line => line.Length >= indent ? line[indent..] : line)).Trim();
    }

    [GeneratedRegex("<!-- snippet: (?<file>[^#]+)#(?<region>[a-z-]+) -->\\s*```csharp\\n(?<code>.*?)\\n```", RegexOptions.Singleline)]
    private static partial Regex CSharpBlocks();

    [GeneratedRegex(@"\]\((?<path>[^)\s]+)\)")]
    private static partial Regex Links();
}
