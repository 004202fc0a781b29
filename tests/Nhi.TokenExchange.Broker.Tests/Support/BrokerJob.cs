using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job at an emulator, and a broker that hands its targets out: <c>warehouse</c> (OAuth), and over loopback <c>lake</c> (Azure), <c>archive</c> (AWS), <c>lakehouse</c> (Google).</summary>
internal sealed class BrokerJob : IAsyncDisposable
{
    public const string WarehouseResource = "https://warehouse.example";
    public const string LakeResource = "https://storage.azure.com";
    public const string Email = "loader@my-project.iam.gserviceaccount.com";
    public const string Scope = "dataset:orders";
    public const string NarrowScope = "dataset:orders:read";
    public const string GoogleScope = "https://www.googleapis.com/auth/cloud-platform";

    private BrokerJob(IdentityEmulator emulator, RecordingSink audit, FakeLogCollector log, JobSession session, TokenBroker broker)
    {
        Emulator = emulator;
        Audit = audit;
        Log = log;
        Session = session;
        Broker = broker;
    }

    public IdentityEmulator Emulator { get; }

    public RecordingSink Audit { get; }

    public FakeLogCollector Log { get; }

    public JobSession Session { get; }

    public TokenBroker Broker { get; }

    public IReadOnlyList<LedgerIssue> Issued => Emulator.Ledger.Issued;

    /// <summary>Starts all of it.</summary>
    /// <param name="loopback">Whether it listens on loopback instead of a Unix socket.</param>
    /// <param name="options">Changes the broker's options.</param>
    /// <param name="more">Changes the job.</param>
    /// <param name="time">The clock of all; the system's if null.</param>
    public static async Task<BrokerJob> StartAsync(bool loopback = true, Action<TokenBrokerOptions>? options = null, Action<TokenExchangeBuilder>? more = null, TimeProvider? time = null)
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => (o.ProofAlgorithm, o.Time) = ("ES256", time ?? TimeProvider.System));
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Authorization.AddClient("orders", identity.Subject, Scope, NarrowScope);
        emulator.Authorization.AddClient("lake", identity.Subject, "blobs");
        AwsRole role = emulator.Aws.AddRole("orders-loader", identity.Subject);
        PoolProvider pool = emulator.Google.AddProvider("jobs", "github");
        var audit = new RecordingSink();
        var log = FakeLogCollector.Create(new FakeLogCollectorOptions());
        using var logging = LoggerFactory.Create(factory => factory.SetMinimumLevel(LogLevel.Trace).AddProvider(new FakeLoggerProvider(log)));
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
                .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "orders"), "job", Scope, NarrowScope)
                .Target("lake", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "lake"), "job", "blobs")
                .Target("archive", Targets.AwsSts(role.Arn, "eu-central-1", o => o.Endpoint = emulator.Aws.Endpoint), "job")
                .Target("lakehouse", Targets.GoogleSts(pool.Name, o => (o.StsEndpoint, o.IamEndpoint) = (emulator.Google.Endpoint, emulator.Google.Endpoint)), "job", GoogleScope)
                .Audit(audit).Logging(logging).EndOnSignals(false).Time(time ?? TimeProvider.System);
            more?.Invoke(b);
        });
        TokenBroker broker = await TokenBroker.StartAsync(session, o =>
        {
            o.TokenExchange("warehouse", WarehouseResource);
            if (loopback)
                o.ListenOnLoopback().AzureManagedIdentity("lake", LakeResource).AwsContainerCredentials("archive").GoogleMetadata("lakehouse", Email, "my-project");
            o.Logging = logging;
            (o.EndOnSignals, o.Time) = (false, time ?? TimeProvider.System);
            options?.Invoke(o);
        });
        return new BrokerJob(emulator, audit, log, session, broker);
    }

    /// <summary>A client of its own that speaks to the broker, over whatever it listens on.</summary>
    public HttpClient NewClient()
    {
        var sockets = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false };
        if (Broker.SocketPath is { } path)
            sockets.ConnectCallback = (_, cancellationToken) => ConnectAsync(path, cancellationToken);
        return new HttpClient(sockets) { BaseAddress = Broker.Address };
    }

    public static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public bool IsAlive(string token) => Emulator.Ledger.IsAlive(Ledger.FingerprintOf(token));

    public async ValueTask DisposeAsync()
    {
        Emulator.Faults.Clear();
        await Broker.DisposeAsync();
        await Session.DisposeAsync();
        await Emulator.DisposeAsync();
    }
}
