using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>
/// An OIDC issuer, an authorization server, a Databricks-style workspace, a Vault-style server, Microsoft Entra ID, Azure's managed identity hosts, Azure Key Vault, AWS STS, Google Cloud's STS, a policy decision point and two protected APIs, on loopback, that verify for real and fail on demand.
/// For tests and samples; never for production.
/// </summary>
/// <remarks>Keys and canaries are new for each start. All members are safe to use from any number of threads.</remarks>
public sealed class IdentityEmulator : IAsyncDisposable
{
    private readonly EmulatorHost _host;
    private readonly OidcIssuer _issuer;

    private readonly EmulatorCertificates _certificates;
    private readonly EmulatorConnections _connections;

    private IdentityEmulator(EmulatorHost host, EmulatorCertificates certificates, EmulatorOptions options)
    {
        _host = host;
        _certificates = certificates;
        Time = options.Time;
        Canaries = new EmulatorCanaries();
        Ledger = new Ledger(options.Time);
        Faults = new FaultPlan(options.Seed);
        EmulatorPorts ports = host.Ports;
        _issuer = new OidcIssuer(ports.IssuerIdentifier, options.ProofAlgorithm, options.Time, Canaries);
        _connections = new EmulatorConnections(options.Address, ports, certificates);
        Entra = new EntraDirectory(ports, ports.IssuerIdentifier, Ledger, Canaries, options);
        ManagedIdentity = new ManagedIdentityHosts(ports, certificates, Entra, Ledger, Canaries);
        AzureResource = new AzureResource(ports.AzureResourceOrigin, Entra, Ledger);
        KeyVault = new EmulatedKeyVault(ports.KeyVaultOrigin, Entra, Ledger);
        var issuers = new ProofIssuers(_issuer, Entra);
        Authorization = new AuthorizationServer(ports.AuthorizationIdentifier, Warehouse.NamesOf(ports.WarehouseOrigin), issuers, Ledger, Canaries, options);
        Databricks = new DatabricksWorkspace(ports.DatabricksOrigin, issuers, Ledger, Canaries, options);
        Vault = new EmulatedVault(ports.VaultOrigin, issuers, Ledger, Canaries, options);
        Aws = new EmulatedAws(ports.AwsOrigin, issuers, Ledger, Canaries, options);
        Google = new EmulatedGoogle(ports.GoogleOrigin, issuers, Ledger, Canaries, options);
        DecisionPoint = new EmulatedDecisionPoint(ports.DecisionPointOrigin);
        Warehouse = new Warehouse(ports.WarehouseOrigin, Authorization, Databricks, Ledger, options.Time);
        var entra = new EntraServer(Entra, new EntraAssertions(Entra, issuers, ManagedIdentity.FindByObjectId, options.ClockLeeway));
        var routes = new EmulatorRoutes(ports, _issuer, Authorization, Databricks, Warehouse, entra, ManagedIdentity, AzureResource, Vault, KeyVault, DecisionPoint, Aws, Google);
        host.Serve(new RequestDesk(routes, Ledger, Faults, options.Time).HandleAsync);
    }

    /// <summary>The OIDC issuer that signs proofs: discovery at <c>{Issuer}/.well-known/openid-configuration</c>.</summary>
    public Uri Issuer => new(_issuer.Identifier);

    /// <summary>The authorization server: RFC 8693, RFC 7523, RFC 7009, RFC 7662.</summary>
    public AuthorizationServer Authorization { get; }

    /// <summary>The Databricks-style workspace.</summary>
    public DatabricksWorkspace Databricks { get; }

    /// <summary>The Vault-style server: logins, dynamic secrets with leases, key-value engines, wrapping.</summary>
    public EmulatedVault Vault { get; }

    /// <summary>Azure Key Vault, over HTTPS: static secrets.</summary>
    public EmulatedKeyVault KeyVault { get; }

    /// <summary>An AWS account: STS, roles, IAM OIDC providers.</summary>
    public EmulatedAws Aws { get; }

    /// <summary>Google Cloud: workload identity pools, service accounts.</summary>
    public EmulatedGoogle Google { get; }

    /// <summary>The policy decision point: OpenID AuthZEN and OPA.</summary>
    public EmulatedDecisionPoint DecisionPoint { get; }

    /// <summary>The protected API.</summary>
    public Warehouse Warehouse { get; }

    /// <summary>Microsoft Entra ID, over HTTPS.</summary>
    public EntraDirectory Entra { get; }

    /// <summary>The token endpoints of Azure's compute hosts.</summary>
    public ManagedIdentityHosts ManagedIdentity { get; }

    /// <summary>The protected Azure-style API, over HTTPS.</summary>
    public AzureResource AzureResource { get; }

    /// <summary>The certificate authority of this start, without its private key: what a client of the HTTPS parts has to trust.</summary>
    public X509Certificate2 Certificate => _certificates.Authority;

    /// <summary>The same as PEM text, for a file that <c>NODE_EXTRA_CA_CERTS</c> or <c>SSL_CERT_FILE</c> names.</summary>
    public string CertificatePem => _certificates.Authority.ExportCertificatePem();

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
        var certificates = new EmulatorCertificates(options.Address);
        return new IdentityEmulator(await EmulatorHost.StartAsync(options.Address, certificates, cancellationToken).ConfigureAwait(false), certificates, options);
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

    /// <summary>
    /// A handler that trusts this emulator's certificate authority and no other, follows no redirect, uses no proxy, and takes Entra's public host names (port 443) to this emulator.
    /// Any other host than this machine is refused with <see cref="HttpRequestException"/>, so a test reaches nothing outside.
    /// </summary>
    public HttpMessageHandler CreateHandler() => _connections.CreateHandler();

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
        Entra.Dispose();
        ManagedIdentity.Close();
        _certificates.Dispose();
        _issuer.Dispose();
    }
}
