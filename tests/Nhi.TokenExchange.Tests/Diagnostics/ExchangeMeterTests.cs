namespace Nhi.TokenExchange.Tests;

/// <summary>What is counted is counted once: over the sessions of a host, and over the hops of a chain.</summary>
internal sealed class ExchangeMeterTests
{
    [Test]
    public async Task Any_number_of_sessions_of_a_host_have_one_meter_and_each_instrument_once()
    {
        using var heard = new Telemetry();
        await using TestJob first = await TestJob.StartAsync(more: b => b.Meters(heard.Meters));
        await using TestJob second = await TestJob.StartAsync(more: b => b.Meters(heard.Meters));
        await first.Warehouse.GetAsync();
        await second.Warehouse.GetAsync();

        Assert.That(heard.Instruments.Select(instrument => instrument.Name), Is.Unique.And.Not.Empty);
        Assert.That(heard.Instruments.Select(instrument => instrument.Meter).Distinct(), Has.Exactly(1).Items);
        Assert.That(heard.Of("nhi.credential.issued").Sum(measured => measured.Value), Is.EqualTo(2));
        IReadOnlyList<Measured> observed = heard.Observe();
        Assert.That(observed.Where(measured => measured.Instrument == "nhi.credential.live").Select(measured => measured.Value), Is.EqualTo([2.0]));
        Assert.That(observed.Where(measured => measured.Instrument == "nhi.credential.time_left").ToList(), Has.Count.EqualTo(1));
    }

    [Test]
    public void Two_hosts_have_a_meter_each()
    {
        using var one = new Telemetry();
        using var other = new Telemetry();
        ExchangeMeter first = ExchangeMeter.Of(one.Meters);
        Assert.That(ExchangeMeter.Of(one.Meters), Is.SameAs(first));
        Assert.That(ExchangeMeter.Of(other.Meters), Is.Not.SameAs(first));
    }

    [Test]
    public async Task A_failure_of_the_first_hop_is_told_apart_at_the_target_that_goes_through_it()
    {
        using var heard = new Telemetry();
        var time = new ManualTimeProvider();
        var first = new TestExchanger(time) { Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "The issuer is away") { IsTransient = true } };
        var second = new TestExchanger(time) { Answer = _ => throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "This one, too") { IsTransient = true } };
        await using JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(time), ActsFor.Workload)
            .Target("account", first, "job")
            .Target("archive", second, t => t.Through = "account")
            .Meters(heard.Meters).Time(time).Jitter(() => 0).EndOnSignals(false));

        Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync());
        first.Answer = null;
        time.Advance(TimeSpan.FromMinutes(2));
        Assert.ThrowsAsync<TokenExchangeException>(async () => await session.Provider<BearerToken>("archive").GetAsync());

        Assert.That(heard.Of("nhi.exchange.failures").Select(measured => measured.Tags), Is.EqualTo(new[]
        {
            "error.type=NHI4001, nhi.credential.kind=BearerToken, nhi.stage=exchange, nhi.target=account",
            "error.type=NHI4001, nhi.credential.kind=BearerToken, nhi.outcome=hop_failed, nhi.stage=exchange, nhi.target=archive",
            "error.type=NHI4002, nhi.credential.kind=BearerToken, nhi.stage=exchange, nhi.target=archive",
        }));
    }
}
