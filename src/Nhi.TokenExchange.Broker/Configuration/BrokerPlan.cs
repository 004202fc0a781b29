using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>The options of a broker, checked and frozen: which target a request of which protocol means.</summary>
internal sealed class BrokerPlan
{
    private BrokerPlan(JobSession session, TokenBrokerOptions options)
    {
        Session = session;
        Time = options.Time;
        Logger = new BrokerLog(options.Logging.CreateLogger("Nhi.TokenExchange.Broker"));
        Folder = options.Folder;
        LoopbackPort = options.LoopbackPort;
        RequestsPerSecond = options.RequestsPerSecond;
        ConcurrentRequests = options.ConcurrentRequests;
        MaxConnections = options.MaxConnections;
        MaxClients = options.MaxClients;
        DrainWithin = options.DrainWithin;
        EndOnSignals = options.EndOnSignals;
        OnlyBoundProcesses = options.OnlyBoundProcesses;
        foreach ((string target, IReadOnlyList<string> resources) in options.OAuth)
        {
            CredentialProvider<BearerToken> provider = session.Provider<BearerToken>(target);
            foreach (string resource in resources)
                Add(ByResource, resource, provider, "TokenExchange", resource);
        }
        foreach ((string target, string resource, string? clientId) in options.Azure)
            Add(AzureIdentities, (resource, clientId), session.Provider<BearerToken>(target), "AzureManagedIdentity", clientId is null ? resource : $"{resource} of {clientId}");
        foreach ((string target, _) in options.Aws)
            Add(AwsRoles, target, session.Provider<AwsSessionCredentials>(target), "AwsContainerCredentials", target);
        AwsDefault = options.Aws.Find(one => !one.OverSocket).Target;
        if (options.Google.Count > 1)
            throw Wrong("GoogleMetadata was called more than once; a metadata server has one default service account.", "Start one broker for each; they may share a job.");
        if (options.Google is [var google])
            Google = new GoogleIdentity(session.Provider<BearerToken>(google.Target), google.Email, google.ProjectId);
    }

    public JobSession Session { get; }

    public TimeProvider Time { get; }

    public BrokerLog Logger { get; }

    public string? Folder { get; }

    /// <summary>Null: a Unix socket.</summary>
    public int? LoopbackPort { get; }

    public int RequestsPerSecond { get; }

    public int ConcurrentRequests { get; }

    public int MaxConnections { get; }

    public int MaxClients { get; }

    public TimeSpan DrainWithin { get; }

    public bool EndOnSignals { get; }

    public bool OnlyBoundProcesses { get; }

    public Dictionary<string, CredentialProvider<BearerToken>> ByResource { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string Resource, string? ClientId), CredentialProvider<BearerToken>> AzureIdentities { get; } = [];

    public Dictionary<string, CredentialProvider<AwsSessionCredentials>> AwsRoles { get; } = new(StringComparer.Ordinal);

    public string? AwsDefault { get; }

    public GoogleIdentity? Google { get; }

    /// <summary>The names of the targets that are handed out.</summary>
    public IEnumerable<string> Targets =>
        ByResource.Values.Concat(AzureIdentities.Values).Select(provider => provider.Target).Concat(AwsRoles.Keys).Concat(Google is null ? [] : [Google.Provider.Target]).Distinct();

    /// <exception cref="TokenExchangeException">An option is wrong (NHI1001), or a target is not there (NHI1003) or of another kind (NHI1004).</exception>
    public static BrokerPlan Freeze(JobSession session, TokenBrokerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options.Logging);
        ArgumentNullException.ThrowIfNull(options.Time);
        InRange("RequestsPerSecond", options.RequestsPerSecond, 1, 100_000);
        InRange("ConcurrentRequests", options.ConcurrentRequests, 1, 10_000);
        InRange("MaxConnections", options.MaxConnections, 1, 65_536);
        InRange("MaxClients", options.MaxClients, 1, 10_000);
        InRange("the port of ListenOnLoopback", options.LoopbackPort ?? 0, 0, 65_535);
        if (options.DrainWithin < TimeSpan.Zero || options.DrainWithin > TimeSpan.FromMinutes(1))
            throw Wrong($"DrainWithin is {options.DrainWithin}, which is out of its range.", "Give a time from 0 to 1 minute.");
        var plan = new BrokerPlan(session, options);
        if (plan.LoopbackPort is null)
            NeedsNoLoopback(options);
        return plan is { ByResource.Count: 0, AzureIdentities.Count: 0, AwsRoles.Count: 0, Google: null }
            ? throw Wrong("No target is handed out.", "Call TokenExchange, AzureManagedIdentity, AwsContainerCredentials or GoogleMetadata.")
            : plan;
    }

    public static TokenExchangeException Wrong(string what, string hint) => new(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, $"The broker can't start: {what}") { Hint = hint };

    private static void NeedsNoLoopback(TokenBrokerOptions options)
    {
        string? protocol = options.Azure.Count > 0 ? "AzureManagedIdentity" : options.Aws.Exists(one => !one.OverSocket) ? "AwsContainerCredentials" : options.Google.Count > 0 ? "GoogleMetadata" : null;
        if (protocol is not null)
            throw Wrong($"{protocol} hands out a target over a Unix socket, which SDKs can't reach.", "Call ListenOnLoopback, too. Of AWS credentials a program of your own may ask over the socket: overSocket: true.");
    }

    private static void InRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw Wrong(FormattableString.Invariant($"{name} is {value}, which is out of its range."), FormattableString.Invariant($"Give a number from {least} to {most}."));
    }

    private static void Add<TKey, T>(Dictionary<TKey, CredentialProvider<T>> map, TKey key, CredentialProvider<T> provider, string method, string what)
        where TKey : notnull
        where T : Credential
    {
        if (!map.TryAdd(key, provider) && map[key].Target != provider.Target)
            throw Wrong($"{method} maps '{what}' to '{map[key].Target}' and to '{provider.Target}'.", "A request has to mean one target: leave one of them out.");
    }
}

/// <summary>What the metadata server of Google Cloud tells.</summary>
internal sealed record GoogleIdentity(CredentialProvider<BearerToken> Provider, string Email, string ProjectId);
