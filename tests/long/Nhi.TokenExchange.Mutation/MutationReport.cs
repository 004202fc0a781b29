using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange.Mutation;

/// <summary>The page of a run: how many were noticed, folder by folder, and those that were not, file by file.</summary>
internal static class MutationReport
{
    /// <param name="commit">Of which commit the core is.</param>
    /// <param name="tests">That there are.</param>
    /// <param name="outcomes">Of all mutants.</param>
    public static string Write(string commit, IReadOnlyList<Reach> tests, IEnumerable<Outcome> outcomes)
    {
        Outcome[] all = [.. outcomes.OrderBy(one => one.Mutant.File, StringComparer.Ordinal).ThenBy(one => one.Mutant.Line).ThenBy(one => one.Mutant.Id)];
        var page = new StringBuilder("# Mutation, measured\n\nWritten by `tests/long/mutate`; [how](../../README.md#mutation).\n\n");
        page.Append(CultureInfo.InvariantCulture, $"- Date: {TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC\n- Commit: {commit}\n- .NET {Environment.Version}, {Environment.ProcessorCount} processors\n");
        page.Append(CultureInfo.InvariantCulture, $"- {tests.Count:N0} tests; left out: {tests.Count(test => !test.IsFit && !test.Fails)} that take too long, {tests.Count(test => test.Fails)} that pass in the ordinary run and not here{string.Concat(tests.Where(test => test.Fails).Select(test => $"\n  - {test.Name}"))}\n\n");
        page.Append("| folder | tried | noticed | of them by a time-out | not noticed | reached by no test | |\n|---|--:|--:|--:|--:|--:|--:|\n");
        foreach (IGrouping<string, Outcome> folder in all.GroupBy(one => Path.GetDirectoryName(one.Mutant.File)!))
            page.Append(Row($"`{folder.Key}`", [.. folder]));
        foreach (IGrouping<string, Outcome> room in all.GroupBy(one => one.Mutant.File.Split('/')[0]))
            page.Append(Row($"**{room.Key}, all of it**", [.. room]));
        page.Append("\n## Not noticed\n");
        foreach (IGrouping<string, Outcome> file in all.Where(one => !one.IsNoticed).GroupBy(one => one.Mutant.File))
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {file.Key}\n\n");
            foreach (Outcome one in file)
                page.Append(CultureInfo.InvariantCulture, $"- {one.Mutant.Line}: `{Short(one.Mutant.Original)}` → `{Short(one.Mutant.Replacement)}`{(one.Kind == "NoCoverage" ? " (reached by no test)" : "")}\n");
        }
        return page.ToString();
    }

    private static string Row(string name, Outcome[] of)
    {
        int noticed = of.Count(one => one.IsNoticed);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {of.Length:N0} | {noticed:N0} | {of.Count(one => one.Kind == "Timeout")} | {of.Count(one => one.Kind == "Survived")} | {of.Count(one => one.Kind == "NoCoverage")} | {100.0 * noticed / of.Length:0.0} % |\n");
    }

    // One line, and nothing that ends the code.
    private static string Short(string text)
    {
        string line = string.Join(' ', text.Replace('`', '\'').Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= 100 ? line : line[..100] + "…";
    }
}
