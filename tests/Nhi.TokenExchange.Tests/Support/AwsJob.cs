namespace Nhi.TokenExchange.Tests;

/// <summary>A job with a session of a role at the emulated AWS, with real sockets between them.</summary>
internal sealed class AwsJob : IAsyncDisposable
{
    private AwsJob(IdentityEmulator emulator, JobIdentity identity, AwsRole role, RecordingSink audit, JobSession session)
    {
        Emulator = emulator;
        Identity = identity;
        Role = role;
        Audit = audit;
        Session = session;
    }

    public IdentityEmulator Emulator { get; }

    public JobIdentity Identity { get; }

    public AwsRole Role { get; }

    public RecordingSink Audit { get; }

    public JobSession Session { get; }

    public CredentialProvider<AwsSessionCredentials> Archive => Session.Provider<AwsSessionCredentials>("archive");

    public int Exchanges => Emulator.Ledger.Requests.Of(EmulatorEndpoint.AwsSts);

    /// <summary>Starts both. Waits before a further try are the shortest there are.</summary>
    /// <param name="time">The clock of both; the system's if null.</param>
    /// <param name="options">Changes the exchanger's options.</param>
    /// <param name="target">Changes the target.</param>
    /// <param name="proof">Changes each proof before it is signed.</param>
    /// <param name="more">Changes the job.</param>
    public static async Task<AwsJob> StartAsync(
        TimeProvider? time = null, Action<AwsStsOptions>? options = null, Action<TargetOptions>? target = null, Action<ProofClaims>? proof = null, Action<TokenExchangeBuilder>? more = null)
    {
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(time ?? TimeProvider.System);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        AwsRole role = emulator.Aws.AddRole("orders-loader", identity.Subject);
        var audit = new RecordingSink();
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString(), proof), SubjectTokenType.Jwt))), ActsFor.Workload)
                .Target(
                    "archive",
                    Targets.AwsSts(role.Arn, "eu-central-1", o =>
                    {
                        o.Endpoint = emulator.Aws.Endpoint;
                        options?.Invoke(o);
                    }),
                    t =>
                    {
                        t.Identity = "job";
                        target?.Invoke(t);
                    })
                .Job(new JobContext { Pipeline = "orders-nightly", Run = "17" })
                .Audit(audit).Time(time ?? TimeProvider.System).Jitter(() => 0).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false);
            more?.Invoke(b);
        });
        return new AwsJob(emulator, identity, role, audit, session);
    }

    /// <summary>Asks for the session, which fails.</summary>
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
