using System.Text.Json;

namespace Nhi.TokenExchange.Mutation;

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">It.</param>
/// <param name="Kind">Killed, Timeout, Survived or NoCoverage, as Stryker calls them.</param>
/// <param name="By">The test that noticed it.</param>
internal sealed record Outcome(Mutant Mutant, string Kind, string? By)
{
    public bool IsNoticed => Kind is "Killed" or "Timeout";

    /// <summary>Reads those of a run, a line each.</summary>
    public static IReadOnlyList<Outcome> Read(string path) => [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<Outcome>(line)!)];
}
