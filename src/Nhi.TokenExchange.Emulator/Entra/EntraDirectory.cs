using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>The emulated Microsoft Entra ID: tenants, applications, and the endpoints that SDKs use for client credentials with a federated assertion.</summary>
/// <remarks>Settings, tenants and applications are set up before the first request that needs them. Served at <see cref="Authority"/> and, through <see cref="IdentityEmulator.CreateHandler"/>, under Entra's own host names.</remarks>
public sealed class EntraDirectory : IDisposable
{
    // The app id URIs that jobs name most; the last is the application id of Azure Databricks, which is asked for without a scheme.
    private static readonly string[] WellKnown =
    [
        "https://management.azure.com", "https://management.core.windows.net", "https://graph.microsoft.com", "https://vault.azure.net",
        "https://storage.azure.com", "https://database.windows.net", "2ff814a6-3304-4ab8-85cb-cd0e6f879c1d",
    ];

    private readonly ConcurrentDictionary<string, EntraApplication> _applications = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, EntraResource> _resources = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _tenants = new(StringComparer.OrdinalIgnoreCase);

    internal EntraDirectory(EmulatorPorts ports, string ownIssuer, Ledger ledger, EmulatorCanaries canaries, EmulatorOptions options)
    {
        Ports = ports;
        OwnIssuer = ownIssuer;
        Time = options.Time;
        Clouds = EntraClouds.Of(options.EntraCloud);
        Algorithm = options.EntraAlgorithm;
        Tokens = new EntraTokens(this, canaries.Entra, ledger);
        TenantId = AddTenant();
        foreach (string resource in WellKnown.Append(EmulatedResource))
            AddResource(resource);
        AddResource(ExchangeAudience, tokenVersion: 2, applicationId: EntraClouds.ExchangeApplication);
    }

    /// <summary>The directory's own address, to be used where an SDK asks for the authority host: <c>https://localhost:{port}/</c>.</summary>
    public Uri Authority => new($"{Ports.EntraOrigin}/");

    /// <summary>The first tenant; a new GUID at each start.</summary>
    public string TenantId { get; }

    /// <summary>The cloud it lives in: decides issuers and the exchange audience. Set by <see cref="EmulatorOptions.EntraCloud"/>.</summary>
    public EntraCloud Cloud => Clouds.Cloud;

    /// <summary>What assertions are made out to in this cloud, such as <c>api://AzureADTokenExchange</c>.</summary>
    public string ExchangeAudience => Clouds.ExchangeAudience;

    /// <summary>The life of applications' tokens. Default one hour; the real one draws 60 to 90 minutes.</summary>
    public TimeSpan TokenLifetime { get; set; } = TimeSpan.FromHours(1);

    /// <summary>The life of tokens asked for with the client capability <c>cp1</c>. Default 24 hours: what makes declaring it dangerous.</summary>
    public TimeSpan LongTokenLifetime { get; set; } = TimeSpan.FromHours(24);

    /// <summary>The answer's <c>refresh_in</c>. Null (default): half of the life where that is over two hours, and absent otherwise.</summary>
    public TimeSpan? RefreshIn { get; set; }

    /// <summary>How long a new federated identity credential stays unknown to the servers. Default zero.</summary>
    public TimeSpan PropagationDelay { get; set; }

    /// <summary>How many requests for the same token are answered within five minutes before AADSTS50196 comes. Null (default): any number.</summary>
    public int? LoopLimit { get; set; }

    internal const string EmulatedResource = "https://resource.emulator.example";

    internal EmulatorPorts Ports { get; }

    internal string OwnIssuer { get; }

    internal TimeProvider Time { get; }

    internal EntraClouds Clouds { get; }

    internal string Algorithm { get; }

    internal IssuerKeys Keys { get; } = new();

    internal EntraTokens Tokens { get; }

    /// <summary>Adds a tenant.</summary>
    /// <returns>Its id, a new GUID.</returns>
    public string AddTenant()
    {
        string id = Guid.NewGuid().ToString();
        _tenants[id] = true;
        return id;
    }

    /// <summary>The issuer of a tenant's version 2 tokens: what a federation policy or federated identity credential names.</summary>
    /// <param name="tenantId">The tenant; null for the first.</param>
    public string IssuerOf(string? tenantId = null) => Clouds.IssuerV2(tenantId ?? TenantId);

    /// <summary>Registers an application in the first tenant.</summary>
    /// <param name="clientId">Its client id, a GUID; null for a new one.</param>
    /// <param name="resources">The app id URIs that it may get tokens for; unknown ones become APIs with version 1 tokens. None: all that the directory knows.</param>
    /// <exception cref="ArgumentException">The id is no GUID or taken.</exception>
    public EntraApplication AddApplication(string? clientId = null, params IEnumerable<string> resources)
    {
        ArgumentNullException.ThrowIfNull(resources);
        clientId ??= Guid.NewGuid().ToString();
        if (!Guid.TryParseExact(clientId, "D", out _))
            throw new ArgumentException("An application is named by its client id, a GUID.", nameof(clientId));
        var application = new EntraApplication(this, clientId);
        foreach (string resource in resources)
        {
            if (FindResource(resource) is null)
                AddResource(resource);
            application.Resources.Add(resource);
        }

        return _applications.TryAdd(clientId, application) ? application : throw new ArgumentException($"The application {clientId} is registered already.", nameof(clientId));
    }

    /// <summary>Adds an API. Known from the start: Azure's best known ones, the emulator's <see cref="AzureResource"/> and the exchange audience.</summary>
    /// <param name="appIdUri">Its app id URI.</param>
    /// <param name="tokenVersion">1 (default) or 2: the form of its tokens.</param>
    /// <param name="applicationId">Its application id, the <c>aud</c> of version 2 tokens; null for a new GUID.</param>
    /// <exception cref="ArgumentException">The URI is known already.</exception>
    public EntraResource AddResource(string appIdUri, int tokenVersion = 1, string? applicationId = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(appIdUri);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokenVersion, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokenVersion, 2);
        var resource = new EntraResource(appIdUri, tokenVersion, applicationId ?? Guid.NewGuid().ToString());
        return _resources.TryAdd(appIdUri.TrimEnd('/'), resource) ? resource : throw new ArgumentException($"The API {appIdUri} is known already.", nameof(appIdUri));
    }

    /// <summary>Makes new signing keys for tokens.</summary>
    /// <param name="keepOld">Whether the old ones stay published.</param>
    public void RotateKeys(bool keepOld = true) => Keys.Rotate(keepOld);

    /// <inheritdoc/>
    public void Dispose() => Keys.Dispose();

    internal bool HasTenant(string tenant) => _tenants.ContainsKey(tenant);

    internal EntraApplication? FindApplication(string clientId) => _applications.GetValueOrDefault(clientId);

    // Entra takes an app id URI with and without its last slash.
    internal EntraResource? FindResource(string asked) => _resources.GetValueOrDefault(asked.TrimEnd('/'));

    /// <summary>The tenant whose issuer identifier (of either version) that is, compared exactly; null when it is none.</summary>
    internal string? TenantOfIssuer(string issuer) => _tenants.Keys.FirstOrDefault(tenant => issuer == Clouds.IssuerV2(tenant) || issuer == Clouds.IssuerV1(tenant));
}
