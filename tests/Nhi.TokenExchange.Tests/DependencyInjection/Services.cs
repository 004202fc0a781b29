using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Http;

namespace Nhi.TokenExchange.Tests.DependencyInjection;

/// <summary>Containers and hosts with a session in them: targets warehouse and lake at issuers in memory, time in the test's hand.</summary>
internal sealed class Services
{
    public Services()
    {
        Warehouse = new TestExchanger(Time);
        Lake = new TestExchanger(Time);
    }

    public ManualTimeProvider Time { get; } = new();

    public TestExchanger Warehouse { get; }

    public TestExchanger Lake { get; }

    public RecordingSink Audit { get; } = new();

    public void Compose(TokenExchangeBuilder builder) => builder
        .Job(new JobContext { Pipeline = "orders-nightly", Environment = "test" })
        .Identity("job", TestProofs.Source(Time), ActsFor.Workload)
        .Target("warehouse", Warehouse, target =>
        {
            target.Identity = "job";
            target.AllowedOrigins.Add(new Uri("https://warehouse.example"));
        })
        .Target("lake", Lake, identity: "job")
        .Target("box", new TicketExchanger(Time), identity: "job")
        .Audit(Audit).Time(Time).Jitter(() => 0);

    public ServiceProvider Build(Action<IServiceCollection>? more = null)
    {
        var services = new ServiceCollection();
        services.AddTokenExchange(Compose);
        more?.Invoke(services);
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public IHost Host(Action<IServiceCollection>? more = null, bool compose = true)
    {
        HostApplicationBuilder builder = new(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.ClearProviders();
        more?.Invoke(builder.Services);
        if (compose)
            builder.Services.AddTokenExchange(Compose);
        return builder.Build();
    }

    /// <summary>A client whose requests end at a wire in memory.</summary>
    public static IHttpClientBuilder Client(IServiceCollection services, string name, Wire wire) =>
        services.AddHttpClient(name).ConfigurePrimaryHttpMessageHandler(() => wire);

    public static async Task<TokenExchangeException> RefusedAsync(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (TokenExchangeException refused)
        {
            return refused;
        }
        throw new AssertionException("Nothing was refused.");
    }
}

/// <summary>A kind of credential that is not ours.</summary>
public sealed class Ticket(string secret, DateTimeOffset expiresAt) : Credential(secret, expiresAt);

internal sealed class TicketExchanger(TimeProvider time) : TokenExchanger<Ticket>
{
    public override Uri Issuer { get; } = new("https://tickets.test/");

    public override Audience SubjectAudience { get; } = new("https://tickets.test/");

    public override ValueTask<Issued<Ticket>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
        new(new Issued<Ticket>(new Ticket("canary-" + Guid.NewGuid().ToString("N"), time.GetUtcNow().AddHours(1))));
}
