namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Real threads for a few seconds. What is planted must be seen, else the zeros of the others prove nothing.</summary>
[NonParallelizable]
public class SlotStressTests
{
    private const int Seed = 20260101;

    [Test]
    public async Task C11_Under_threads_none_of_what_must_never_happen_happens()
    {
        StressResult result = await SlotStress.RunAsync(TimeSpan.FromSeconds(5), Seed, bugs: null);
        TestContext.Out.WriteLine($"seed {Seed}: {result}");
        Assert.That(result.IsClean, Is.True, result.ToString());
        Assert.That(result.Jobs, Is.GreaterThan(5));
        Assert.That(result.Issued, Is.GreaterThan(50));
    }

    [Test]
    public async Task The_copy_without_a_bug_is_as_clean_as_the_slot()
    {
        StressResult result = await SlotStress.RunAsync(TimeSpan.FromSeconds(2), Seed, PlantedBugs.None);
        TestContext.Out.WriteLine($"seed {Seed}: {result}");
        Assert.That(result.IsClean, Is.True, result.ToString());
    }

    [TestCase(PlantedBugs.NoLookAtEndedWhenLanding)]
    [TestCase(PlantedBugs.NoDoom)]
    [TestCase(PlantedBugs.NoLookAtFlightBeforeDeparting)]
    public async Task A_planted_bug_is_seen_by_the_stress(object planted)
    {
        StressResult result = await SlotStress.RunAsync(TimeSpan.FromSeconds(20), Seed, (PlantedBugs)planted, stopWhenRed: true);
        TestContext.Out.WriteLine($"{planted}, seed {Seed}: {result}");
        Assert.That(result.IsClean, Is.False);
        switch ((PlantedBugs)planted)
        {
            case PlantedBugs.NoLookAtEndedWhenLanding:
                Assert.That(result.HandedOutAfterTheEnd + result.UnaccountedLeases + result.Surprises.Count, Is.GreaterThan(0));
                break;
            case PlantedBugs.NoDoom:
                Assert.That(result.OldPolicy, Is.GreaterThan(0));
                break;
            default:
                Assert.That(result.MostFlightsAtOnce, Is.GreaterThan(1));
                break;
        }
    }

    [Test]
    public async Task Waiters_that_trust_what_landed_are_seen_by_an_order_of_steps([Values] bool planted)
    {
        var bench = new SlotBench();
        var flights = new Queue<Flight>();
        var departed = new SemaphoreSlim(0);
        var slot = new SlotCopy(
            bench.Clock,
            bench.NextFlightNumber,
            (_, flight) =>
            {
                flights.Enqueue(flight);
                departed.Release();
            },
            planted ? PlantedBugs.WaitersTrustWhatLanded : PlantedBugs.None);
        Task<BearerToken> waiter = slot.GetAsync(CancellationToken.None).AsTask();
        BearerToken dead = bench.Token(10);
        bench.Hands.Advance(TimeSpan.FromSeconds(11));
        await departed.WaitAsync();
        slot.TryLand(flights.Dequeue(), dead, bench.RefreshTick(5));
        if (planted)
        {
            Assert.That(await waiter, Is.SameAs(dead), "the bug of the copy; the slot itself passes the same order in Race_6");
            return;
        }
        await departed.WaitAsync();
        BearerToken alive = bench.Token(10);
        slot.TryLand(flights.Dequeue(), alive, bench.RefreshTick(5));
        Assert.That(await waiter, Is.SameAs(alive));
    }
}
