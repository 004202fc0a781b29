using System.Text.Json;
using NUnit.Framework.Interfaces;

namespace Nhi.TokenExchange.Mutation;

/// <summary>Which mutants one test comes by.</summary>
/// <param name="Id">NUnit's number of the test.</param>
/// <param name="Name">Its full name.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Mutants">The numbers of the mutants.</param>
internal sealed record Reach(string Id, string Name, double Milliseconds, int[] Mutants)
{
    /// <summary>Runs all tests once, and notes what each comes by. One that takes too long, or fails, is left out.</summary>
    /// <param name="path">Where it is written to.</param>
    /// <param name="longest">How long a test may take.</param>
    public static void Measure(string path, TimeSpan longest)
    {
        TextWriter output = Console.Out;   // a test has its own
        var all = new List<Reach>();
        MutatedCore.BeginCapture();
        new Tests().RunAll(result =>
        {
            int[] mutants = MutatedCore.TakeReached();
            if (result.ResultState.Status != TestStatus.Passed || result.Duration > longest.TotalSeconds)
                output.WriteLine($"left out, {result.ResultState}, {result.Duration:0.0} s: {result.FullName}");
            else
                all.Add(new(result.Test.Id, result.FullName, result.Duration * 1000, mutants));
        });
        File.WriteAllText(path, JsonSerializer.Serialize(all));
        output.WriteLine($"{all.Count} tests, {all.Sum(one => one.Milliseconds) / 1000:0} s");
    }

    public static IReadOnlyList<Reach> Read(string path) => JsonSerializer.Deserialize<Reach[]>(File.ReadAllText(path))!;
}
