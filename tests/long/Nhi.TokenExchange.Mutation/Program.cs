namespace Nhi.TokenExchange.Mutation;

/// <summary>Runs the core's tests against the mutants in the core beside it. Beside it, too: <c>reach.json</c>, <c>outcomes.jsonl</c>.</summary>
internal static class Program
{
    private const string Reached = "reach.json", Outcomes = "outcomes.jsonl";

    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["work"]:
                Worker.Run();
                return 0;
            case ["reach"]:
                Reach.Measure(Reached);
                return 0;
            case ["run", var mutants, .. var folders]:
                Mutant[] changes = [.. Mutant.Read(mutants).Where(one => folders.Any(folder => one.File.StartsWith(folder, StringComparison.Ordinal)))];
                Console.WriteLine($"{changes.Length} mutants");
                await new MutantRun(Reach.Read(Reached)).TryAllAsync(changes, Outcomes);
                return 0;
            case ["report", var commit]:
                Console.Write(MutationReport.Write(commit, Reach.Read(Reached), Outcome.Read(Outcomes)));
                return 0;
            default:
                Console.Error.WriteLine("reach | run STRYKERS-REPORT.json FOLDER ... | report COMMIT");
                return 2;
        }
    }
}
