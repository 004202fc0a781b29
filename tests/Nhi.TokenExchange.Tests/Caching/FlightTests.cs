namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Who waits for whom: a ring is seen, and what is none any more is none.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class FlightTests
{
    private readonly Flight _one = new(1, held: null), _two = new(2, held: null), _three = new(3, held: null);

    [Test]
    public async Task A_flight_that_waits_for_two_closes_a_ring_with_either()
    {
        Assert.That(await BeginWait(_one, _two), Is.Not.Null);
        Assert.That(await BeginWait(_one, _three), Is.Not.Null);

        Assert.That(await BeginWait(_two, _one), Is.Null);
        Assert.That(await BeginWait(_three, _one), Is.Null);
    }

    [Test]
    public async Task A_wait_that_is_over_goes_with_the_next()
    {
        Flight.Wait? first = await BeginWait(_one, _two);
        first!.Dispose();

        Assert.That((await BeginWait(_one, _three))!.Next, Is.Null);
    }

    [Test]
    public async Task A_wait_that_was_refused_is_none()
    {
        Flight.Wait? first = await BeginWait(_one, _two);
        Assert.That(await BeginWait(_two, _one), Is.Null);
        first!.Dispose();

        Assert.That(await BeginWait(_one, _two), Is.Not.Null);
    }

    [Test]
    public async Task A_flight_that_has_landed_waits_for_nobody()
    {
        await BeginWait(_one, _two);
        _one.Complete(null);

        Assert.That(await BeginWait(_two, _one), Is.Not.Null);
    }

    [Test]
    public async Task Nobody_waits_for_who_is_in_no_flight() => Assert.That(await Task.Run(_one.BeginWait), Is.SameAs(Flight.Wait.OfNobody));

    // In a flow of its own: what it enters ends with it.
    private static Task<Flight.Wait?> BeginWait(Flight inside, Flight asked) => Task.Run(() =>
    {
        inside.Enter();
        return asked.BeginWait();
    });
}
