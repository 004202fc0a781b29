namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Real threads for a few seconds. What is planted must be seen, else the zeros of the others prove nothing.</summary>
[NonParallelizable]
public class SlotStressTests
{
    private const int Seed = 20260101;
    private const string Slot = "ExpiringSlot.cs";

    private static TestCaseData[] Bugs() =>
    [
        Case(
            new PlantedBug(
                "what lands does not look whether the job has ended",
                new PlantedBug.Edit(Slot, "bool mine = ReferenceEquals(state.Flight, flight);\n            bool taken = mine && state.Takes(credential);", "bool late = state.Mark == SlotMark.Ended, mine = late || ReferenceEquals(state.Flight, flight), taken = late || (mine && state.Takes(credential));")),
            "after the end|nobody ended|of an old policy"),   // what lands then lives on with the policy of before
        Case(
            new PlantedBug("a change of the policy dooms no flight", new PlantedBug.Edit(Slot, "!TryMove(state, state.Invalidate())", "!TryMove(state, state.Flight is null ? state.Invalidate() : state.Drop())")),
            "of an old policy"),
        Case(
            new PlantedBug("who departs does not look at the flight", new PlantedBug.Edit(Slot, "            if (flight is null)\n", "            if (flight is null || alive is null)\n")),
            "lost their place"),
    ];

    private static readonly PlantedBug Trusting = new(
        "a waiter trusts what landed",
        new PlantedBug.Edit(Slot, "await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false);", "await flight.Landed.WaitAsync(cancellationToken).ConfigureAwait(false); if (State.Current is { } landed) return landed;"));

    private static TestCaseData Case(PlantedBug bug, string seen) => new TestCaseData(bug, seen).SetArgDisplayNames(bug.Name);

    [Test]
    public async Task C11_Under_threads_none_of_what_must_never_happen_happens()
    {
        StressResult result = await SlotStress.RunAsync(TimeSpan.FromSeconds(5), Seed);
        TestContext.Out.WriteLine($"seed {Seed}: {result}");
        Assert.That(result.Faults, Is.Empty);
        Assert.That(result.Jobs, Is.GreaterThan(5));
        Assert.That(result.Issued, Is.GreaterThan(50));
    }

    [Test]
    public async Task Compiled_anew_without_a_bug_it_is_as_clean() =>
        Assert.That(await new PlantedBug("none").Run<Task<string[]>>(typeof(SlotStress), nameof(SlotStress.FaultsAsync), TimeSpan.FromSeconds(1), Seed), Is.Empty);

    [TestCaseSource(nameof(Bugs))]
    public async Task A_planted_bug_is_seen_by_the_stress(object planted, string seen)
    {
        string[] faults = await ((PlantedBug)planted).Run<Task<string[]>>(typeof(SlotStress), nameof(SlotStress.FaultsAsync), TimeSpan.FromMinutes(1), Seed);
        TestContext.Out.WriteLine($"{planted}, seed {Seed}: {string.Join(", ", faults)}");
        Assert.That(faults, Has.Some.Matches(seen));
    }

    [Test]
    public async Task What_is_dead_when_it_lands_is_handed_to_nobody() => Assert.That(await SlotStress.LandDeadAsync(), Is.Empty);

    [Test]
    public async Task Waiters_that_trust_what_landed_are_seen_by_an_order_of_steps() =>
        Assert.That(await Trusting.Run<Task<string[]>>(typeof(SlotStress), nameof(SlotStress.LandDeadAsync)), Is.EqualTo(new[] { "a waiter that trusts what landed" }));
}
