using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Nhi.TokenExchange;

/// <summary>Ties the session to the host: made and checked before any hosted service starts, ended after all have stopped.</summary>
internal sealed class JobHosting(IServiceProvider services, IEnumerable<ClientCredential> clients) : IHostedLifecycleService
{
    private JobSessionFactory? _factory;
    private JobSession? _session;

    /// <summary>Puts it before all hosted services, once: the first to start is the last to stop.</summary>
    public static void AddTo(IServiceCollection services)
    {
        if (!services.Any(service => !service.IsKeyedService && service.ImplementationType == typeof(JobHosting)))
            services.Insert(0, ServiceDescriptor.Singleton<IHostedService, JobHosting>());
    }

    /// <summary>The session of the container.</summary>
    /// <exception cref="TokenExchangeException">There is none.</exception>
    public static JobSession SessionOf(IServiceProvider services) =>
        services.GetService<JobSession>() ?? throw new TokenExchangeException(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, "The container has no JobSession.")
        {
            Hint = "Call services.AddTokenExchange(configuration.GetSection(\"TokenExchange\")).",
        };

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        JobSession session = _session = SessionOf(services);
        _factory = services.GetService<JobSessionFactory>();
        var errors = new ConfigurationErrors();
        foreach (ClientCredential client in clients)
            client.Check(session, errors);
        foreach (IGrouping<string, ClientCredential> twice in clients.GroupBy(client => client.Client, StringComparer.Ordinal).Where(group => group.Count() > 1))
            errors.Add($"HttpClient '{ExceptionText.Clean(twice.Key)}'", $"has several credentials: {string.Join(", ", twice.Select(client => ExceptionText.Clean(client.Target)))}", "Call AddCredential once for each client; make a client for each target.");
        errors.ThrowIfAny();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // OpenTelemetry listens to traces from its own hosted service's start on, and has not heard the anchor of the chain's beginning.
    public Task StartedAsync(CancellationToken cancellationToken) => _session?.Audit.TraceAnchorAgainAsync() ?? Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // The token is cancelled already when others have used up the time to stop; credentials are ended all the same, within EndWithin.
    public Task StoppedAsync(CancellationToken cancellationToken) => _factory?.EndAllAsync() ?? Task.CompletedTask;
}
