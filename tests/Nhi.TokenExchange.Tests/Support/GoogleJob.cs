namespace Nhi.TokenExchange.Tests;

/// <summary>A job with an access token of the emulated Google Cloud, with real sockets between them.</summary>
internal sealed class GoogleJob : IAsyncDisposable
{
    public const string Account = "loader@my-project.iam.gserviceaccount.com";

    private GoogleJob(IdentityEmulator emulator, JobIdentity identity, PoolProvider provider, RecordingSink audit, JobSession session)
    {
        Emulator = emulator;
        Identity = identity;
        Provider = provider;
        Audit = audit;
        Session = session;
    }

    public IdentityEmulator Emulator { get; }

    public JobIdentity Identity { get; }

    public PoolProvider Provider { get; }

    public RecordingSink Audit { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Archive => Session.Provider<BearerToken>("archive");

    public IReadOnlyList<LedgerIssue> Issued => Emulator.Ledger.Issued;

    public int Requests(EmulatorEndpoint endpoint) => Emulator.Ledger.Requests.Of(endpoint);

    /// <summary>Starts both. Waits before a further try are the shortest there are.</summary>
    /// <param name="time">The clock of both; the system's if null.</param>
    /// <param name="options">Changes the exchanger's options.</param>
    /// <param name="target">Changes the target.</param>
    /// <param name="more">Changes the job.</param>
    public static async Task<GoogleJob> StartAsync(TimeProvider? time = null, Action<GoogleStsOptions>? options = null, Action<TargetOptions>? target = null, Action<TokenExchangeBuilder>? more = null)
    {
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(time ?? TimeProvider.System);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        PoolProvider provider = emulator.Google.AddProvider("jobs", "github");
        var audit = new RecordingSink();
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
                .Target(
                    "archive",
                    Targets.GoogleSts(provider.Name, o =>
                    {
                        (o.StsEndpoint, o.IamEndpoint) = (emulator.Google.Endpoint, emulator.Google.Endpoint);
                        options?.Invoke(o);
                    }),
                    t =>
                    {
                        t.Identity = "job";
                        target?.Invoke(t);
                    })
                .Audit(audit).Time(time ?? TimeProvider.System).Jitter(() => 0).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false);
            more?.Invoke(b);
        });
        return new GoogleJob(emulator, identity, provider, audit, session);
    }

    /// <summary>Asks for the token, which fails.</summary>
    public TokenExchangeException Refused() => Assert.ThrowsAsync<TokenExchangeException>(() => Archive.GetAsync().AsTask())!;

    public async ValueTask DisposeAsync()
    {
        Emulator.Faults.Clear();
        try
        {
            await BoundedEnd.EndAsync(Session, Audit);
        }
        finally
        {
            await Emulator.DisposeAsync();
        }
    }
}
