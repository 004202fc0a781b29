using System.Text.RegularExpressions;

namespace Nhi.TokenExchange;

/// <summary>The quick start, as it is built and as native code, tells the same story wherever it runs.</summary>
internal sealed partial class QuickStartTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Test]
    public async Task The_quick_start_tells_the_same_in_every_language_and_time_zone()
    {
        string expected = await ToldAsync(Surroundings.Plain, "dotnet", SamplesTests.Built("QuickStart"));

        await AssertAllTellAsync(expected, [Surroundings.Turkish, Surroundings.Thai, Surroundings.Invariant], "dotnet", SamplesTests.Built("QuickStart"));
    }

    [Test]
    public async Task The_quick_start_as_native_code_is_published_without_a_warning_and_tells_the_same()
    {
        string binary = await NativeSample.PublishAsync("QuickStart");
        string expected = await ToldAsync(Surroundings.Plain, "dotnet", SamplesTests.Built("QuickStart"));

        await AssertAllTellAsync(expected, [Surroundings.Plain, Surroundings.Turkish, Surroundings.Thai, Surroundings.Invariant], binary);
    }

    [Test]
    public async Task The_README_shows_what_the_quick_start_tells()
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(NativeSample.Checkout(), "README.md"));
        string shown = readme.Split("```text\n").Single(block => block.StartsWith("1 emulator", StringComparison.Ordinal)).Split("```")[0];

        Assert.That(Lasting(shown), Is.EqualTo(await ToldAsync(Surroundings.Plain, "dotnet", SamplesTests.Built("QuickStart"))));
    }

    private static async Task AssertAllTellAsync(string expected, Surroundings[] places, string program, params string[] arguments)
    {
        foreach (Surroundings place in places)
            Assert.That(await ToldAsync(place, program, arguments), Is.EqualTo(expected), place.Name);
    }

    // What chance and the clock give is taken out; numbers and instants count only in the one form that is promised, so another one stays and is a difference.
    private static async Task<string> ToldAsync(Surroundings place, string program, params string[] arguments)
    {
        (int exitCode, string said) = await ChildProgram.RunAsync(Deadline, place.With(), program, arguments);
        Assert.That(exitCode, Is.Zero, $"{place}: {said}");
        Assert.That(said, Does.Contain("10,000,000 gets").And.Contain("Every step did what it says."), place.Name);
        return Lasting(said);
    }

    private static string Lasting(string said)
    {
        string[] lines = Chance().Replace(said, "*").Split('\n');
        // How many credentials came and which of them had died by the end, is how long the machine took.
        return string.Join('\n', lines.Where(line => !line.StartsWith("    warehouse *:", StringComparison.Ordinal) && !line.StartsWith("      * warehouse ", StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)|\b[0-9a-f]{16}\b|127\.0\.0\.1:\d+|\b\d+\.\d ns\b|\b\d+ (reads|events)\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\+\d\d:\d\d:\d\d\.\d{3}|\bemu-[0-9a-f]{8}\b|-\d+-20\d{6}T\d{9}\b")]
    private static partial Regex Chance();
}
