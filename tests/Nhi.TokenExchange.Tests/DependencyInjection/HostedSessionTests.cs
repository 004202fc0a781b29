using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Nhi.TokenExchange.Tests.Configuration;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>The session is made before any hosted service starts, and ended after all have stopped.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public class HostedSessionTests
{
    private readonly Services _services = new();

    [Test]
    public async Task Hosted_services_use_the_session_from_their_start_to_their_stop([Values] bool concurrently, [Values] bool registeredLast)
    {
        var worker = new Worker { UsesItWhenStopped = !concurrently };   // then nobody is last
        using IHost host = _services.Host(services =>
        {
            if (!registeredLast)
                services.AddTokenExchange(_services.Compose);
            services.AddHostedService(provider => worker.With(provider));
            services.Configure<HostOptions>(options => options.ServicesStartConcurrently = options.ServicesStopConcurrently = concurrently);
        }, compose: registeredLast);

        await host.StartAsync();
        await host.StopAsync();

        Assert.That(worker.GotAt, Is.EqualTo(concurrently ? ["starting", "start", "stop"] : new[] { "starting", "start", "stop", "stopped" }));
        Assert.That(_services.Warehouse.Revoked, Has.Count.EqualTo(1), "ended when the host has stopped, before it is disposed");
    }

    [Test]
    public async Task It_is_ended_within_its_own_deadline_when_the_time_to_stop_is_used_up()
    {
        using IHost host = _services.Host();
        await host.StartAsync();
        await host.Services.GetRequiredService<JobSession>().Provider<BearerToken>("warehouse").GetAsync();

        try
        {
            await host.StopAsync(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // the host says so; our services were stopped all the same
        }

        Assert.That(_services.Warehouse.Revoked, Has.Count.EqualTo(1));
        Assert.That(host.Services.GetRequiredService<JobSession>().Ended.IsCancellationRequested, Is.True);
    }

    [Test]
    public async Task All_errors_of_the_section_are_thrown_when_the_host_starts()
    {
        using IHost host = _services.Host(
            services => services.AddTokenExchange(Sections.With(("Targets:warehouse:Host", "http://nowhere.example"), ("Targets:warehouse:Scops", "sql"), ("Targets:warehouse:MaxLifetime", "soon"))),
            compose: false);

        TokenExchangeException refused = await Services.RefusedAsync(() => host.StartAsync());

        Assert.That(refused.Code, Is.EqualTo("NHI1001"));
        Assert.That(refused.Message, Does.Contain("TokenExchange:Targets:warehouse:Host").And.Contain("TokenExchange:Targets:warehouse:Scops").And.Contain("TokenExchange:Targets:warehouse:MaxLifetime"));
    }

    [Test]
    public async Task A_section_and_code_say_it_together()
    {
        await using ServiceProvider container = new ServiceCollection()
            .AddTokenExchange(Sections.With(), builder => builder.Target("lake", _services.Lake, identity: "job").Time(_services.Time))
            .BuildServiceProvider();

        JobSession job = container.GetRequiredService<JobSession>();

        Assert.That(job.Context.Pipeline, Is.EqualTo("orders-nightly"));
        Assert.That(job.Provider<BearerToken>("lake").Target, Is.EqualTo("lake"));
        Assert.That(job.Provider<BearerToken>("warehouse").Scopes.ToString(), Is.EqualTo("sql"));
    }

    [Test]
    public async Task Without_a_host_the_containers_disposal_ends_it([Values] bool asynchronously)
    {
        ServiceProvider container = _services.Build();
        CredentialProvider<BearerToken> warehouse = container.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");
        await warehouse.GetAsync();

        if (asynchronously)
            await container.DisposeAsync();
        else
            await Task.Run(container.Dispose);

        Assert.That(_services.Warehouse.Revoked, Has.Count.EqualTo(1));
        Assert.That((await Services.RefusedAsync(async () => await warehouse.GetAsync())).Code, Is.EqualTo("NHI7001"));
    }

    [Test]
    public void A_container_that_never_used_it_makes_none()
    {
        bool made = false;
        using (new ServiceCollection().AddTokenExchange(_ => made = true).BuildServiceProvider())
        {
        }
        Assert.That(made, Is.False);
    }

    [Test]
    public async Task A_start_that_fails_elsewhere_leaves_nothing_behind()
    {
        var worker = new Worker { FailsAtStart = true };
        IHost host = _services.Host(services => services.AddHostedService(provider => worker.With(provider)));
        Assert.That(async () => await host.StartAsync(), Throws.InvalidOperationException);

        await ((IAsyncDisposable)host).DisposeAsync();

        Assert.That(_services.Warehouse.Issued, Has.Count.EqualTo(1));
        Assert.That(_services.Warehouse.Revoked, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Log_clock_policy_and_audit_are_the_containers_where_code_says_nothing()
    {
        var audit = new RecordingSink();
        var policy = new TestPolicy { Decide = _ => AccessDecision.Deny("night", "not now") };
        using var heard = new FakeLoggerProvider();
        using var logging = new LoggerFactory([heard]);
        await using ServiceProvider container = new ServiceCollection()
            .AddSingleton<IAuditSink>(audit).AddSingleton<IAccessPolicy>(policy).AddSingleton<TimeProvider>(_services.Time).AddSingleton<ILoggerFactory>(logging)
            .AddTokenExchange(builder => builder.Identity("job", TestProofs.Source(_services.Time), ActsFor.Workload).Target("warehouse", _services.Warehouse, identity: "job"))
            .BuildServiceProvider();

        TokenExchangeException denied = await Services.RefusedAsync(async () => await container.GetRequiredService<JobSession>().Provider<BearerToken>("warehouse").GetAsync());

        Assert.That(denied, Is.TypeOf<AccessDeniedException>());
        Assert.That(audit.Events.Select(written => written.At), Is.Not.Empty.And.All.EqualTo(_services.Time.GetUtcNow()));
        Assert.That(heard.Collector.GetSnapshot().Select(line => line.Message), Has.Some.Contains("Job started"));
    }

    [Test]
    public void Calling_it_twice_is_an_error_that_says_so()
    {
        IServiceCollection services = new ServiceCollection().AddTokenExchange(Sections.With());

        Assert.That(
            () => services.AddTokenExchange(_services.Compose),
            Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1001").And.Message.Contains("twice").And.Message.Contains("JobSessionFactory"));
    }

    private sealed class Worker : IHostedLifecycleService
    {
        private CredentialProvider<BearerToken>? _warehouse;

        public List<string> GotAt { get; } = [];

        public bool FailsAtStart { get; init; }

        public bool UsesItWhenStopped { get; init; }

        public Worker With(IServiceProvider services)
        {
            _warehouse = services.GetRequiredKeyedService<CredentialProvider<BearerToken>>("warehouse");
            return this;
        }

        public Task StartingAsync(CancellationToken cancellationToken) => GetAsync("starting");

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await GetAsync("start");
            if (FailsAtStart)
                throw new InvalidOperationException("not today");
        }

        public Task StopAsync(CancellationToken cancellationToken) => GetAsync("stop");

        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => UsesItWhenStopped ? GetAsync("stopped") : Task.CompletedTask;

        private async Task GetAsync(string when)
        {
            await _warehouse!.GetAsync(CancellationToken.None);
            GotAt.Add(when);
        }
    }
}
