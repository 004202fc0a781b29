using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>One composition, many jobs: each has its own credentials and end; what they share belongs to the factory.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class JobSessionFactoryTests
{
    private readonly Services _services = new();

    [Test]
    public async Task Each_job_has_its_own_credentials_facts_and_end()
    {
        await using ServiceProvider container = _services.Build();
        JobSessionFactory factory = container.GetRequiredService<JobSessionFactory>();
        await using JobSession one = await factory.StartAsync(new JobContext { Run = "1" });
        await using JobSession two = await factory.StartAsync(new JobContext { Run = "2", Purpose = "load" });

        BearerToken ofOne = await one.Provider<BearerToken>("warehouse").GetAsync();
        BearerToken ofTwo = await two.Provider<BearerToken>("warehouse").GetAsync();
        JobReport report = await one.CompleteAsync();

        Assert.That(ofTwo, Is.Not.SameAs(ofOne));
        Assert.That(two.Context.ToString(), Is.EqualTo("pipeline orders-nightly, run 2, purpose load, environment test"));
        Assert.That(report.Leases.Select(outcome => outcome.Fingerprint), Is.EqualTo(new[] { ofOne.Fingerprint }));
        Assert.That(await two.Provider<BearerToken>("warehouse").GetAsync(), Is.SameAs(ofTwo));
        Assert.That(container.GetRequiredService<JobSession>().Ended.IsCancellationRequested, Is.False);
    }

    [Test]
    public async Task What_still_runs_when_the_host_stops_is_ended_then_and_nothing_starts_any_more()
    {
        using IHost host = _services.Host();
        await host.StartAsync();
        JobSessionFactory factory = host.Services.GetRequiredService<JobSessionFactory>();
        JobSession forgotten = await factory.StartAsync(new JobContext { Run = "1" });
        await forgotten.Provider<BearerToken>("warehouse").GetAsync();

        await host.StopAsync();

        Assert.That(forgotten.Ended.IsCancellationRequested, Is.True);
        Assert.That(_services.Warehouse.Revoked, Has.Count.EqualTo(1));
        Assert.That((await Services.RefusedAsync(() => factory.StartAsync(new JobContext()))).Code, Is.EqualTo("NHI7001"));
    }

    [Test]
    public async Task A_job_cannot_say_another_environment_than_the_one_that_was_checked()
    {
        await using ServiceProvider container = _services.Build();
        JobSessionFactory factory = container.GetRequiredService<JobSessionFactory>();

        await using JobSession same = await factory.StartAsync(new JobContext { Environment = "TEST" });
        TokenExchangeException refused = await Services.RefusedAsync(() => factory.StartAsync(new JobContext { Environment = "production" }));

        Assert.That(refused.Message, Does.Contain("'production'").And.Contain("'test'"));
    }

    [Test]
    public async Task What_a_kind_made_is_shared_by_all_and_disposed_after_the_last()
    {
        var made = new List<Disposable>();
        await using ServiceProvider container = new ServiceCollection()
            .AddTokenExchange(Sections.With(("Identities:job:Source", "Acme"), ("Identities:job:Path", null)), builder => builder.Time(_services.Time).IdentitySourceKind("Acme", _ =>
            {
                made.Add(new Disposable());
                return made[^1];
            }))
            .BuildServiceProvider();
        JobSessionFactory factory = container.GetRequiredService<JobSessionFactory>();
        JobSession first = await factory.StartAsync(new JobContext { Run = "1" });
        JobSession host = container.GetRequiredService<JobSession>();

        await first.CompleteAsync();
        await host.CompleteAsync();
        Assert.That(made.Select(source => source.Disposals), Is.EqualTo([0]), "another session may start");
        await container.DisposeAsync();
        await container.DisposeAsync();

        Assert.That(made.Select(source => source.Disposals), Is.EqualTo([1]));
    }

    [Test]
    public async Task What_was_handed_in_is_not_disposed()
    {
        var source = new Disposable();
        ServiceProvider container = new ServiceCollection()
            .AddTokenExchange(builder => builder.Identity("job", source, ActsFor.Workload).Target("warehouse", _services.Warehouse, identity: "job").Time(_services.Time))
            .BuildServiceProvider();
        await container.GetRequiredService<JobSessionFactory>().StartAsync(new JobContext());
        _ = container.GetRequiredService<JobSession>();

        await container.DisposeAsync();

        Assert.That(source.Disposals, Is.Zero);
    }

    [Test]
    public async Task A_flight_that_does_not_come_down_keeps_what_it_uses_and_not_the_host()
    {
        _services.Warehouse.Gate = new Gate();
        var made = new Disposable();
        ServiceProvider container = new ServiceCollection()
            .AddTokenExchange(Sections.With(("Identities:other:Source", "Acme")), builder => builder
                .Identity("ours", TestProofs.Source(_services.Time), ActsFor.Workload).Target("lake", _services.Warehouse, identity: "ours")
                .Time(_services.Time).IdentitySourceKind("Acme", _ => made))
            .BuildServiceProvider();
        Task<BearerToken> get = container.GetRequiredService<JobSession>().Provider<BearerToken>("lake").GetAsync().AsTask();
        await _services.Warehouse.Gate.Reached;

        Task disposing = container.DisposeAsync().AsTask();
        await Eventually.HoldsAsync(
            () =>
            {
                _services.Time.Advance(TimeSpan.FromSeconds(1));
                return disposing.IsCompleted;
            },
            "the end of the container");
        Assert.That(made.Disposals, Is.Zero, "a flight is still in the air");
        _services.Warehouse.Gate.Open();
        await made.Disposed.WaitAsync(TimeSpan.FromSeconds(20));

        Assert.That((await Services.RefusedAsync(() => get)).Code, Is.EqualTo("NHI7001"));
    }

    private sealed class Disposable : IWorkloadIdentitySource, IDisposable
    {
        private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public int Disposals { get; private set; }

        public Task Disposed => _disposed.Task;

        public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) => throw new InvalidOperationException("not asked");

        public void Dispose()
        {
            Disposals++;
            _disposed.TrySetResult();
        }
    }
}
