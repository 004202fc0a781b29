using System.Collections.Concurrent;
using System.Text.Json;

namespace Nhi.TokenExchange.Mutation;

/// <summary>Tries mutants, in as many processes as there are processors, and writes down what becomes of each.</summary>
internal sealed class MutantRun
{
    // What all tests come by would else take all of them for each change that none notices.
    private static readonly TimeSpan LongestTry = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Reach[] _tests;
    private readonly ILookup<int, Reach> _testsOf;
    private readonly Dictionary<string, string> _names;
    private readonly ConcurrentDictionary<string, byte> _passed = new(StringComparer.Ordinal);

    /// <param name="tests">Which mutants each test comes by.</param>
    public MutantRun(IEnumerable<Reach> tests)
    {
        _tests = [.. tests.Where(test => test.IsFit)];
        _testsOf = _tests.SelectMany(test => test.Mutants, (test, mutant) => (test, mutant)).ToLookup(pair => pair.mutant, pair => pair.test);
        _names = _tests.ToDictionary(test => test.Id, test => test.Name);
    }

    /// <summary>Tries them.</summary>
    /// <param name="mutants">Which.</param>
    /// <param name="path">The file that a line of each is written to.</param>
    public async Task TryAllAsync(IEnumerable<Mutant> mutants, string path)
    {
        await using var lines = new StreamWriter(path);
        using var turn = new SemaphoreSlim(1);
        var left = new Queue<Mutant>(mutants);
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(WorkAsync)));

        async Task WorkAsync()
        {
            using var worker = new WorkerProcess();
            Outcome? tried = null;
            while (await NextAsync(tried) is { } mutant)
                tried = await TryAsync(worker, mutant);
        }

        // Writes down what became of one, and hands out another. Who can't write gives the turn on: the others would wait for it for ever.
        async Task<Mutant?> NextAsync(Outcome? tried)
        {
            await turn.WaitAsync();
            try
            {
                if (tried is not null)
                {
                    await lines.WriteLineAsync(JsonSerializer.Serialize(tried));
                    await lines.FlushAsync();
                }
                return left.TryDequeue(out Mutant? mutant) ? mutant : null;
            }
            finally
            {
                turn.Release();
            }
        }
    }

    private async Task<Outcome> TryAsync(WorkerProcess worker, Mutant mutant)
    {
        Reach[] near = [.. _testsOf[mutant.Id]];
        if (near.Length == 0)
            return new(mutant, "NoCoverage", null);
        Outcome? outcome = null;
        for (int tries = 0; outcome is null && tries < 3; tries++)
            outcome = await TryAsync(fromStart: false, near);
        // What only one test comes by may run once a process, and matter to those after it.
        if (near.Length == 1 && outcome is not { IsNoticed: true })
            outcome = await TryAsync(fromStart: true, [.. near, .. _tests.Where(test => IsOfFolder(mutant, test))]);
        return outcome ?? new(mutant, "Survived", "its tests fail without it, too");

        async Task<Outcome?> TryAsync(bool fromStart, IReadOnlyList<Reach> tests)
        {
            string[] likely = [.. Likely(mutant, tests)];
            string? noticed = await worker.TryAsync(mutant.Id, fromStart, likely, Limit);
            // A worker tries a test that fails without the mutant, too; what it can't see is its own end, and what was there from its start.
            if ((noticed is null || (fromStart && noticed.Length > 0)) && !await PassAsync(worker, fromStart, likely))
                return null;
            return noticed switch
            {
                null => new(mutant, "Timeout", null),
                "" => new(mutant, "Survived", null),
                Worker.Spoilt => null,
                _ => new(mutant, "Killed", _names[noticed]),
            };
        }
    }

    // Whether they come back and pass when nothing is changed. What is there from a process's start has the same few tests each time.
    private async Task<bool> PassAsync(WorkerProcess worker, bool fromStart, string[] tests)
    {
        string which = $"{fromStart} {string.Join(' ', tests)}";
        if (_passed.ContainsKey(which))
            return true;
        if (await worker.TryAsync(MutatedCore.None, fromStart, tests, Limit) is not "")
            return false;
        _passed.TryAdd(which, 0);
        return true;
    }

    // Those of the same folder, the quick ones first, and then others for as long as a try may take.
    private static IEnumerable<string> Likely(Mutant mutant, IReadOnlyList<Reach> tests)
    {
        double left = LongestTry.TotalMilliseconds;
        return tests.DistinctBy(test => test.Id).OrderByDescending(test => IsOfFolder(mutant, test)).ThenBy(test => test.Milliseconds).TakeWhile(test => (left -= test.Milliseconds) > 0).Select(test => test.Id);
    }

    private static bool IsOfFolder(Mutant mutant, Reach test) => test.Name.StartsWith($"Nhi.TokenExchange.Tests.{Path.GetDirectoryName(mutant.File)!.Replace('/', '.')}.", StringComparison.Ordinal);
}
