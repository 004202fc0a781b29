namespace Nhi.TokenExchange.Tests.Fuzzing;

/// <summary>What fuzzing left in tests/long/Nhi.TokenExchange.Fuzz/corpus: inputs that each reach another piece of the code, and all that was once wrong.</summary>
internal static class Corpus
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "tests", "long", "Nhi.TokenExchange.Fuzz", "corpus");

    /// <summary>The inputs of a target, by name.</summary>
    public static IEnumerable<(string Name, byte[] Input)> Of(FuzzTarget target) =>
        Directory.GetFiles(Path.Combine(Folder, target.Name)).Order(StringComparer.Ordinal).Select(file => (Path.GetFileName(file), File.ReadAllBytes(file)));
}
