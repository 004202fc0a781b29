using System.Text.Json;

namespace Nhi.TokenExchange.Mutation;

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">It.</param>
/// <param name="Kind">Killed, Timeout, Survived or NoCoverage, as Stryker calls them.</param>
/// <param name="By">The test that noticed it.</param>
/// <param name="Tests">How many tests come by it.</param>
internal sealed record Outcome(Mutant Mutant, string Kind, string? By, int Tests)
{
    public bool IsNoticed => Kind is "Killed" or "Timeout";

    /// <summary>Reads those of a run, or of one that was cut off and went on: the last of each mutant.</summary>
    public static IReadOnlyDictionary<int, Outcome> Read(string path)
    {
        var last = new Dictionary<int, Outcome>();
        foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
        {
            var outcome = JsonSerializer.Deserialize<Outcome>(line)!;
            last[outcome.Mutant.Id] = outcome;
        }
        return last;
    }
}
