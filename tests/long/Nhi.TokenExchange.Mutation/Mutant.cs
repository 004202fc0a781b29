using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange.Mutation;

/// <summary>One change of the code that Stryker made.</summary>
/// <param name="Id">Its number in the assembly that holds all of them.</param>
/// <param name="File">The file, from the core's folder on.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Kind">Stryker's name of such changes.</param>
/// <param name="Original">What stood there.</param>
/// <param name="Replacement">What stands there now.</param>
internal sealed record Mutant(int Id, string File, int Line, string Kind, string Original, string Replacement)
{
    private const string Core = "Nhi.TokenExchange/";

    // What compiles, and is not left out by the settings.
    private static readonly string[] Tried = ["Killed", "Survived", "Timeout", "NoCoverage"];

    /// <summary>Reads those of Stryker's report that can be tried.</summary>
    public static IReadOnlyList<Mutant> Read(string path)
    {
        using JsonDocument report = JsonDocument.Parse(System.IO.File.ReadAllBytes(path));
        return [.. report.RootElement.GetProperty("files").EnumerateObject().SelectMany(file => Of(file.Name, file.Value))];
    }

    private static IEnumerable<Mutant> Of(string path, JsonElement file)
    {
        string[] lines = file.GetProperty("source").GetString()!.Split('\n');
        string name = path[(path.LastIndexOf(Core, StringComparison.Ordinal) + Core.Length)..];
        foreach (JsonElement mutant in file.GetProperty("mutants").EnumerateArray().Where(one => Tried.Contains(one.GetProperty("status").GetString())))
        {
            JsonElement location = mutant.GetProperty("location");
            (int line, int from) = At(location.GetProperty("start"));
            (int last, int to) = At(location.GetProperty("end"));
            string original = last == line ? lines[line - 1][from..to] : lines[line - 1][from..];
            yield return new(int.Parse(mutant.GetProperty("id").GetString()!, CultureInfo.InvariantCulture), name, line, mutant.GetProperty("mutatorName").GetString()!, original, mutant.GetProperty("replacement").GetString() ?? "");
        }
    }

    private static (int Line, int Column) At(JsonElement place) => (place.GetProperty("line").GetInt32(), place.GetProperty("column").GetInt32() - 1);
}
