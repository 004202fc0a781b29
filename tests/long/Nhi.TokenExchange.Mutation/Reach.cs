using System.Text.Json;
using NUnit.Framework.Interfaces;

namespace Nhi.TokenExchange.Mutation;

/// <summary>Which mutants one test comes by.</summary>
/// <param name="Id">NUnit's number of the test.</param>
/// <param name="Name">Its full name.</param>
/// <param name="Milliseconds">How long it took.</param>
/// <param name="Mutants">The numbers of the mutants.</param>
/// <param name="Fails">Whether it fails though nothing is changed.</param>
internal sealed record Reach(string Id, string Name, double Milliseconds, int[] Mutants, bool Fails)
{
    // The middle one takes 3 ms.
    private const double Longest = 2000;

    /// <summary>Whether it may try mutants: it passes without them, and soon.</summary>
    public bool IsFit => !Fails && Milliseconds <= Longest;

    /// <summary>Runs all tests once, and notes what each comes by.</summary>
    /// <param name="path">Where it is written to.</param>
    public static void Measure(string path)
    {
        TextWriter output = Console.Out;   // a test has its own
        var all = new List<Reach>();
        MutatedCore.BeginCapture();
        new Tests().RunAll(result =>
        {
            var reach = new Reach(result.Test.Id, result.FullName, result.Duration * 1000, MutatedCore.TakeReached(), result.ResultState.Status != TestStatus.Passed);
            all.Add(reach);
            if (!reach.IsFit)
                output.WriteLine($"left out, {result.ResultState}, {result.Duration:0.0} s: {result.FullName}");
        });
        File.WriteAllText(path, JsonSerializer.Serialize(all));
        output.WriteLine($"{all.Count} tests, {all.Sum(one => one.Milliseconds) / 1000:0} s");
    }

    public static IReadOnlyList<Reach> Read(string path) => JsonSerializer.Deserialize<Reach[]>(File.ReadAllText(path))!;
}
