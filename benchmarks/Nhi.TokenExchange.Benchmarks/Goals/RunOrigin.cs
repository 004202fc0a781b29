using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using BenchmarkDotNet.Environments;

namespace Nhi.TokenExchange;

/// <summary>What a report is of: which program, on which machine, when.</summary>
/// <param name="Date">The end of the run.</param>
/// <param name="Took">How long the run took.</param>
/// <param name="Commit">The commit of the checkout.</param>
/// <param name="Machine">Processor, system and SDK, a line each.</param>
/// <param name="Runtime">The runtime.</param>
/// <param name="Packages">The versions of the packages.</param>
public sealed record RunOrigin(DateTimeOffset Date, TimeSpan Took, string Commit, string Machine, string Runtime, IReadOnlyDictionary<string, string> Packages)
{
    /// <param name="project">The project under <c>benchmarks</c> whose packages were measured.</param>
    /// <param name="begun">The timestamp of the run's start.</param>
    public static RunOrigin Of(string project, long begun) => new(
        TimeProvider.System.GetUtcNow(), Stopwatch.GetElapsedTime(begun), Checkout.Commit(),
        string.Join('\n', HostEnvironmentInfo.GetCurrent().ToFormattedString().Select(line => line.Trim())), RuntimeInformation.FrameworkDescription, Checkout.PackagesOf(project));

    /// <returns>In what another run is of something else than this one; null if both are of the same.</returns>
    public string? DiffersFrom(RunOrigin other)
    {
        if (MachineDiffersFrom(other) is { } machine)
            return machine;
        if (!other.Packages.OrderBy(package => package.Key, StringComparer.Ordinal).SequenceEqual(Packages.OrderBy(package => package.Key, StringComparer.Ordinal)))
            return "packages";
        // Of two trees with changes nobody knows whether they are the same.
        return other.Commit == Commit && Checkout.IsClean(Commit) ? null : CommitsOf(other);
    }

    /// <summary>Whether first tokens that were measured there say something of the program that was measured here.</summary>
    /// <returns>In what they are of something else; null: of the same program on the same machine.</returns>
    public string? FirstTokensDifferIn(RunOrigin coldStart) =>
        MachineDiffersFrom(coldStart) ?? (Checkout.IsSameForFirstTokens(coldStart.Commit, Commit) ? null : CommitsOf(coldStart));

    private string? MachineDiffersFrom(RunOrigin other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return other.Machine == Machine && other.Runtime == Runtime ? null : $"machine: {other.Machine.ReplaceLineEndings("; ")}; {other.Runtime}";
    }

    private string CommitsOf(RunOrigin other) => $"commit: {other.Commit} there, {Commit} here";

    /// <returns>A Markdown list.</returns>
    public string ToMarkdown()
    {
        var list = new StringBuilder();
        list.Append(CultureInfo.InvariantCulture, $"- Date: {Date:yyyy-MM-dd HH:mm} UTC; the run took {Took.TotalMinutes:0.0} minutes\n- Commit: {Commit}\n");
        foreach (string line in Machine.Split('\n'))
            list.Append($"- {line}\n");
        return list.Append($"- {Runtime}\n- Packages: {string.Join(", ", Packages.Select(package => $"{package.Key} {package.Value}"))}\n").ToString();
    }
}
