using System.Text.Json;

namespace Nhi.TokenExchange.Mutation;

/// <summary>Tries mutants, in as many processes as there are processors, and writes down what becomes of each.</summary>
internal sealed class MutantRun(IReadOnlyList<Reach> reaches)
{
    // What all tests come by would else take all of them for each change that none notices.
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ILookup<int, Reach> _testsOf = reaches.SelectMany(test => test.Mutants, (test, mutant) => (test, mutant)).ToLookup(pair => pair.mutant, pair => pair.test);
    private readonly Dictionary<string, string> _names = reaches.ToDictionary(test => test.Id, test => test.Name);

    /// <summary>Tries them.</summary>
    /// <param name="mutants">Which.</param>
    /// <param name="path">The file that a line of each is added to.</param>
    public async Task TryAllAsync(IEnumerable<Mutant> mutants, string path)
    {
        await using var lines = new StreamWriter(path, append: true);
        using var turn = new SemaphoreSlim(1);
        var left = new Queue<Mutant>(mutants);
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(WorkAsync)));

        async Task WorkAsync()
        {
            using var worker = new WorkerProcess();
            for (Outcome? tried = null; ;)
            {
                await turn.WaitAsync();
                if (tried is not null)
                {
                    await lines.WriteLineAsync(JsonSerializer.Serialize(tried));
                    await lines.FlushAsync();
                }
                bool more = left.TryDequeue(out Mutant? mutant);
                turn.Release();
                if (!more)
                    return;
                tried = await TryAsync(worker, mutant!);
            }
        }
    }

    private async Task<Outcome> TryAsync(WorkerProcess worker, Mutant mutant)
    {
        Reach[] near = [.. _testsOf[mutant.Id]];
        if (near.Length == 0)
            return new(mutant, "NoCoverage", null, 0);
        Outcome? outcome = null;
        for (int tries = 0; outcome is null && tries < 3; tries++)
            outcome = Of(await worker.TryAsync(mutant.Id, fromStart: false, Likely(mutant, near), Limit));
        // What only one test comes by may run once a process, and matter to those after it.
        if (near.Length == 1 && outcome is not { IsNoticed: true })
            outcome = Of(await worker.TryAsync(mutant.Id, fromStart: true, Likely(mutant, [.. near, .. reaches.Where(test => IsOfFolder(mutant, test))]), Limit));
        return outcome ?? new(mutant, "Survived", "its tests fail without it, too", near.Length);

        Outcome? Of(string? noticed) =>
            noticed is null ? new(mutant, "Timeout", null, near.Length)
            : noticed == Worker.Spoilt ? null
            : noticed.Length == 0 ? new(mutant, "Survived", null, near.Length)
            : new(mutant, "Killed", _names[noticed], near.Length);
    }

    // Those of the same folder, the quick ones first, and then others for as long as a try may take.
    private static IEnumerable<string> Likely(Mutant mutant, IReadOnlyList<Reach> tests)
    {
        double left = LongestTry.TotalMilliseconds;
        return tests.OrderByDescending(test => IsOfFolder(mutant, test)).ThenBy(test => test.Milliseconds).TakeWhile(test => (left -= test.Milliseconds) > 0).Select(test => test.Id).Distinct();
    }

    private static bool IsOfFolder(Mutant mutant, Reach test) => test.Name.StartsWith($"Nhi.TokenExchange.Tests.{Path.GetDirectoryName(mutant.File)!.Replace('/', '.')}.", StringComparison.Ordinal);
}
