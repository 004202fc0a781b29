namespace Nhi.TokenExchange.Mutation;

/// <summary>Runs the tests of this assembly against the mutants in the core beside it. Beside it, too: <c>reach.json</c>, <c>outcomes.jsonl</c>.</summary>
internal static class Program
{
    private const string Reached = "reach.json", Outcomes = "outcomes.jsonl";

    // The middle one takes 3 ms.
    private static readonly TimeSpan LongestTest = TimeSpan.FromSeconds(2);

    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["work"]:
                Worker.Run();
                return 0;
            case ["reach"]:
                Reach.Measure(Reached, LongestTest);
                return 0;
            case ["run", var mutants, .. var folders]:
                IReadOnlyDictionary<int, Outcome> before = Outcome.Read(Outcomes);
                Mutant[] left = [.. Mutant.Read(mutants).Where(one => folders.Any(folder => one.File.StartsWith(folder, StringComparison.Ordinal)) && before.GetValueOrDefault(one.Id) is not { IsNoticed: true })];
                Console.WriteLine($"{left.Length} mutants");
                await new MutantRun(Reach.Read(Reached)).TryAllAsync(left, Outcomes);
                return 0;
            case ["report", var commit]:
                Console.Write(MutationReport.Write(commit, Outcome.Read(Outcomes).Values));
                return 0;
            default:
                Console.Error.WriteLine("reach | run STRYKERS-REPORT.json FOLDER ... | report COMMIT");
                return 2;
        }
    }
}
