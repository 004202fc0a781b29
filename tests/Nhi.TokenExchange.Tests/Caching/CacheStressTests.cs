namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Real threads for a second. What is planted must be seen, else the accounts of the others prove nothing.</summary>
[NonParallelizable]
public class CacheStressTests
{
    private const int Seed = 20260101;
    private const string Cache = "ExpiringCache.cs";

    private static TestCaseData[] Bugs() =>
    [
        Case(
            new PlantedBug("who adds a key that is there keeps his place", new PlantedBug.Edit(Cache, "            Interlocked.Decrement(ref _count);\n            return winner;", "            return winner;")),
            "counted as"),
        Case(
            new PlantedBug("a place is given back by all who help to remove", new PlantedBug.Edit(Cache, "if (_slots.TryRemove(KeyValuePair.Create(request, slot)))", "_slots.TryRemove(KeyValuePair.Create(request, slot));")),
            "counted as"),
        Case(
            new PlantedBug("whatever the key has is removed", new PlantedBug.Edit(Cache, "_slots.TryRemove(KeyValuePair.Create(request, slot))", "_slots.TryRemove(request, out _)")),
            "two flights of one key|lived after the end"),
        Case(
            new PlantedBug("a slot makes room that does not retire", new PlantedBug.Edit(Cache, "victim.Value.TryRetire(seen) && _slots.TryRemove(victim)", "_slots.TryRemove(victim)")),
            "two flights of one key|lived after the end"),
        Case(
            new PlantedBug(
                "a slot retires with its flight",
                new PlantedBug.Edit(Cache, "if (state.Flight is not null || state.IsFinal)", "if (state.IsFinal)"),
                new PlantedBug.Edit("ExpiringSlot.cs", "seen.Flight is null && !seen.IsFinal", "!seen.IsFinal")),
            "lost its place|could be filled"),
        Case(
            new PlantedBug("who adds does not look whether the job has ended", new PlantedBug.Edit(Cache, "        if (Volatile.Read(ref _ended))\n            slot.End();\n        else\n", "")),
            "lived after the end"),
    ];

    private static TestCaseData Case(PlantedBug bug, string seen) => new TestCaseData(bug, seen).SetArgDisplayNames(bug.Name);

    [Test]
    public void Under_threads_the_accounts_of_the_cache_come_out()
    {
        (string[] faults, string summary) = CacheStress.Run(rounds: 60, Seed);
        TestContext.Out.WriteLine($"seed {Seed}: {summary}");
        Assert.That(faults, Is.Empty);
    }

    [TestCaseSource(nameof(Bugs))]
    public void A_planted_bug_is_seen(object planted, string seen)
    {
        (string[] faults, string summary) = ((PlantedBug)planted).Run<(string[], string)>(typeof(CacheStress), nameof(CacheStress.Run), 2000, Seed);
        TestContext.Out.WriteLine($"{planted}, seed {Seed}: {summary}");
        Assert.That(faults, Has.Some.Matches(seen));
    }
}
