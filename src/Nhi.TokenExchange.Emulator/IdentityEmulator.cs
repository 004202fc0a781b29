namespace Nhi.TokenExchange;

/// <summary>
/// An OIDC issuer, an authorization server, a Databricks-style workspace and a protected API, on loopback and over HTTP, that verify for real and fail on demand.
/// For tests and samples; never for production.
/// </summary>
/// <remarks>Keys and canaries are new for each start. All members are safe to use from any number of threads.</remarks>
public sealed class IdentityEmulator : IAsyncDisposable
{
    private readonly EmulatorHost _host;
    private readonly OidcIssuer _issuer;

    private IdentityEmulator(EmulatorHost host, EmulatorOptions options)
    {
        _host = host;
        Time = options.Time;
        Canaries = new EmulatorCanaries();
        Ledger = new Ledger(options.Time);
        Faults = new FaultPlan(options.Seed);
        EmulatorPorts ports = host.Ports;
        _issuer = new OidcIssuer(ports.IssuerIdentifier, options.ProofAlgorithm, options.Time, Canaries);
        Authorization = new AuthorizationServer(ports.AuthorizationIdentifier, Warehouse.NamesOf(ports.WarehouseOrigin), _issuer, Ledger, Canaries, options);
        Databricks = new DatabricksWorkspace(ports.DatabricksOrigin, _issuer, Ledger, Canaries, options);
        Warehouse = new Warehouse(ports.WarehouseOrigin, Authorization, Databricks, Ledger, options.Time);
        var routes = new EmulatorRoutes(ports, _issuer, Authorization, Databricks, Warehouse);
        host.Serve(new RequestDesk(routes, Ledger, Faults, options.Time).HandleAsync);
    }

    /// <summary>The OIDC issuer that signs proofs: discovery at <c>{Issuer}/.well-known/openid-configuration</c>.</summary>
    public Uri Issuer => new(_issuer.Identifier);

    /// <summary>The authorization server: RFC 8693, RFC 7523, RFC 7009, RFC 7662.</summary>
    public AuthorizationServer Authorization { get; }

    /// <summary>The Databricks-style workspace.</summary>
    public DatabricksWorkspace Databricks { get; }

    /// <summary>The protected API.</summary>
    public Warehouse Warehouse { get; }

    /// <summary>The ground truth.</summary>
    public Ledger Ledger { get; }

    /// <summary>What goes wrong.</summary>
    public FaultPlan Faults { get; }

    /// <summary>The markers inside this emulator's secrets.</summary>
    public EmulatorCanaries Canaries { get; }

    /// <summary>The clock of all servers.</summary>
    public TimeProvider Time { get; }

    /// <summary>Starts an emulator on free loopback ports.</summary>
    /// <param name="configure">Changes settings; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="ArgumentException">A setting is out of range, for example an address that is not loopback.</exception>
    /// <exception cref="InvalidOperationException">The environment says Production.</exception>
    public static async Task<IdentityEmulator> StartAsync(Action<EmulatorOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var options = new EmulatorOptions();
        configure?.Invoke(options);
        options.Check();
        return new IdentityEmulator(await EmulatorHost.StartAsync(options.Address, cancellationToken).ConfigureAwait(false), options);
    }

    /// <summary>A job's identity at the issuer: mints proofs, writes them to a file, serves them like a CI system.</summary>
    /// <param name="shape">Whose proofs it has.</param>
    /// <param name="subject">The claim <c>sub</c>; null: a usual one of that shape.</param>
    public JobIdentity JobIdentity(ProofShape shape, string? subject = null) => _issuer.Register(shape, subject ?? ProofTemplates.DefaultSubject(shape));

    /// <summary>Mints one proof with the shape's usual subject.</summary>
    /// <param name="shape">Whose proof it is.</param>
    /// <param name="audience">The claim <c>aud</c>.</param>
    /// <param name="change">Changes claims, header or signature before signing; null for an honest proof.</param>
    public string MintProof(ProofShape shape, string audience, Action<ProofClaims>? change = null) =>
        _issuer.Mint(shape, ProofTemplates.DefaultSubject(shape), audience, change);

    /// <summary>Makes new signing keys for proofs.</summary>
    /// <param name="keepOld">Whether the old ones stay published, as issuers do for a while. False: proofs signed by them are refused at once.</param>
    public void RotateKeys(bool keepOld = true) => _issuer.Keys.Rotate(keepOld);

    /// <summary>Lets held requests go, cuts all connections, forgets the keys.</summary>
    public async ValueTask DisposeAsync()
    {
        Faults.Clear();
        await _host.DisposeAsync().ConfigureAwait(false);
        Authorization.Dispose();
        Databricks.Dispose();
        _issuer.Dispose();
    }
}
