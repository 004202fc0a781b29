using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Makes a job session part of a container and its host.</summary>
public static class TokenExchangeServiceCollectionExtensions
{
    /// <summary>Adds the <see cref="JobSession"/> of this process, its providers by target name, and a <see cref="JobSessionFactory"/>; composed from a section.</summary>
    /// <param name="services">The services.</param>
    /// <param name="section">The section, such as <c>TokenExchange</c>. Read once, when the session is made; a reload changes nothing.</param>
    /// <param name="configure">Adds what is said in code: kinds that packages bring, policy, audit.</param>
    /// <returns>The services.</returns>
    /// <remarks>
    /// The session is made when the host starts, before any hosted service, and throws all errors of its composition then; it is completed after all hosted
    /// services have stopped, within its own deadline (EndWithin, 10 seconds), which adds to the host's ShutdownTimeout. Without a host the first use makes
    /// it and the container's disposal ends it. Where code says nothing, <see cref="ILoggerFactory"/>, <see cref="IMeterFactory"/>, <see cref="TimeProvider"/>
    /// and <see cref="IAccessPolicy"/> are the container's, if it has them; each <see cref="IAuditSink"/> that it has is one that has to record. Signals are left to the host.
    /// </remarks>
    /// <exception cref="TokenExchangeException">It was called before on these services.</exception>
    public static IServiceCollection AddTokenExchange(this IServiceCollection services, IConfigurationSection section, Action<TokenExchangeBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddTokenExchange(builder =>
        {
            builder.Configuration(section);
            configure?.Invoke(builder);
        });
    }

    /// <summary>As the other overload, composed in code.</summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Declares identities, targets and the rest. Runs when the session is made; does no I/O.</param>
    /// <returns>The services.</returns>
    /// <exception cref="TokenExchangeException">It was called before on these services.</exception>
    public static IServiceCollection AddTokenExchange(this IServiceCollection services, Action<TokenExchangeBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(JobSessionFactory)))
        {
            throw new TokenExchangeException(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, "AddTokenExchange was called twice on the same services.")
            {
                Hint = "Call it once; what a section says and what code says are added. Several jobs of one composition are started by JobSessionFactory.",
            };
        }
        services.AddSingleton(container => MakeFactory(container, configure));
        services.AddSingleton(container => container.GetRequiredService<JobSessionFactory>().StartHostJob());
        JobHosting.AddTo(services);
        return services.AddCredentialKind<BearerToken>().AddCredentialKind<VaultSecret>();
    }

    /// <summary>Lets providers of a kind of credential be injected by target name: <c>[FromKeyedServices("archive")] CredentialProvider&lt;AwsSessionCredentials&gt;</c>. <see cref="BearerToken"/> and <see cref="VaultSecret"/> are there already; packages add theirs.</summary>
    /// <typeparam name="TCredential">The kind of credential.</typeparam>
    /// <param name="services">The services.</param>
    /// <returns>The services.</returns>
    /// <remarks>Providers are those of the container's own session. A wrong name or kind fails when it is resolved, with the names that there are.</remarks>
    public static IServiceCollection AddCredentialKind<TCredential>(this IServiceCollection services)
        where TCredential : Credential
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddKeyedSingleton(KeyedService.AnyKey, (container, key) => ProviderOf<TCredential>(JobHosting.SessionOf(container), key));
        return services;
    }

    private static CredentialProvider<TCredential> ProviderOf<TCredential>(JobSession session, object? key)
        where TCredential : Credential
    {
        // The container does not tell in whose constructor the key stands; the type of the service narrows it.
        string asker = $"the keyed service CredentialProvider<{typeof(TCredential).Name}>: look for its key in FromKeyedServices and GetRequiredKeyedService";
        return key is string { Length: > 0 } target
            ? session.Provider<TCredential>(target, asker)
            : throw UnknownTarget.OfKey(key, [.. session.Targets.Select(runtime => runtime.Target)], asker);
    }

    private static JobSessionFactory MakeFactory(IServiceProvider container, Action<TokenExchangeBuilder> configure)
    {
        TokenExchangeBuilder builder = new TokenExchangeBuilder().EndOnSignals(false);
        if (container.GetService<ILoggerFactory>() is { } logging)
        {
            builder.Logging(logging);
            if (!container.GetServices<ILoggerProvider>().Any() && !logging.CreateLogger("Nhi.TokenExchange").IsEnabled(LogLevel.Critical))
                builder.WithoutLog();
        }
        if (container.GetService<TimeProvider>() is { } time)
            builder.Time(time);
        if (container.GetService<IAccessPolicy>() is { } policy)
            builder.Policy(policy);
        foreach (IAuditSink audit in container.GetServices<IAuditSink>())
            builder.Audit(audit);
        if (container.GetService<IMeterFactory>() is { } meters)
            builder.Meters(meters);
        configure(builder);
        return new JobSessionFactory(builder.Freeze());
    }
}
