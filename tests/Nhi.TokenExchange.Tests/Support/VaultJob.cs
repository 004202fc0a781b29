namespace Nhi.TokenExchange.Tests;

/// <summary>A job with a login and a database secret at the emulated Vault, with real sockets between them.</summary>
internal sealed class VaultJob : IAsyncDisposable
{
    public const string Path = "database/creds/readonly";

    /// <summary>When the refresh of both is due after they were got: 20 minutes before the end, which is an hour less the margin. Exactly then, so that the flight that the clock begins has its deadlines after the clock's step.</summary>
    public static readonly TimeSpan RefreshDue = new(0, 39, 50);

    private VaultJob(IdentityEmulator emulator, JobIdentity identity, VaultRole role, VaultSecretRole secret, RecordingSink audit, JobSession session)
    {
        Emulator = emulator;
        Identity = identity;
        Role = role;
        SecretRole = secret;
        Audit = audit;
        Session = session;
    }

    public IdentityEmulator Emulator { get; }

    public EmulatedVault Vault => Emulator.Vault;

    public JobIdentity Identity { get; }

    public VaultRole Role { get; }

    public VaultSecretRole SecretRole { get; }

    public RecordingSink Audit { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Login => Session.Provider<BearerToken>("vault");

    public CredentialProvider<VaultSecret> Database => Session.Provider<VaultSecret>("database");

    /// <summary>Starts both. The job's clock is the emulator's, and waits before a further try are the shortest there are.</summary>
    /// <param name="time">The clock; the system's if null.</param>
    /// <param name="login">Changes the login's options.</param>
    /// <param name="secret">Changes the secret's options.</param>
    /// <param name="path">Where the secret is read.</param>
    /// <param name="ns">The namespace of both at the server.</param>
    /// <param name="shape">What is made at the path.</param>
    /// <param name="more">Changes the job.</param>
    public static async Task<VaultJob> StartAsync(
        TimeProvider? time = null, Action<VaultLoginOptions>? login = null, Action<VaultSecretOptions>? secret = null, string path = Path, string ns = "", VaultSecretShape shape = VaultSecretShape.Database,
        Action<TokenExchangeBuilder>? more = null)
    {
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(time ?? TimeProvider.System);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        VaultRole role = emulator.Vault.AddRole("orders", identity.Subject, ns: ns);
        VaultSecretRole made = emulator.Vault.AddSecret(path, shape, ns);
        var audit = new RecordingSink();
        return new VaultJob(emulator, identity, role, made, audit, await StartJobAsync(emulator, identity, audit, time, login, secret, path, more));
    }

    /// <summary>Another job at the same server, with the same two targets.</summary>
    public Task<JobSession> AnotherAsync(TimeProvider? time = null) => StartJobAsync(Emulator, Identity, Audit, time, null, null, SecretRole.Path, null);

    /// <summary>A job that writes a journal, and ends with a server that refuses to revoke its login and its secret: both stay in the journal, as after a kill.</summary>
    public static async Task<VaultJob> LeftBehindAsync(string journals)
    {
        VaultJob job = await StartAsync(more: b => b.Journal(journals));
        await job.Database.GetAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultToken, Fault.Vault(400, "failed to parse JSON input"));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(400, "failed to parse JSON input"));
        await job.Session.CompleteAsync();
        job.Emulator.Faults.Clear();
        Assert.That((job.Vault.OpenTokens, job.Vault.OpenLeases), Is.EqualTo((1, 1)));
        return job;
    }

    /// <summary>Recovers by the same two targets.</summary>
    public Task<RecoveryReport> RecoverAsync(string journals, IAuditSink audit, IAccessPolicy? policy = null, TimeProvider? time = null, Action<TokenExchangeBuilder>? more = null, CancellationToken cancellationToken = default) => JobSession.RecoverAsync(
        b =>
        {
            Compose(b, Emulator, Identity, audit, time, null, null, SecretRole.Path, null);
            b.Journal(journals);
            if (policy is not null)
                b.Policy(policy);
            more?.Invoke(b);
        },
        cancellationToken: cancellationToken);

    public int Requests(EmulatorEndpoint endpoint) => Emulator.Ledger.Requests.Of(endpoint);

    /// <summary>What the server's operator does with the root token.</summary>
    public async Task<int> OperateAsync(HttpMethod method, string path, string? body = null)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(method, new Uri(Vault.Address, $"/v1/{path}"));
        request.Headers.Add("X-Vault-Token", Vault.RootToken);
        request.Content = body is null ? null : new StringContent(body);
        using HttpResponseMessage response = await http.SendAsync(request);
        return (int)response.StatusCode;
    }

    /// <summary>Waits until no flight is in the air and none is still to be removed.</summary>
    /// <remarks>In this order: a flight stands in its slot before it is counted, and is counted still when it has left its slot.</remarks>
    public Task QuietAsync() => Eventually.HoldsAsync(
        () => !((SlotProvider<VaultSecret>)Database).HasFlight && !((SlotProvider<BearerToken>)Login).HasFlight && Session.Leases.FlightsInTheAir == 0, "the landing of the last flight");

    /// <summary>Gets the secret, and waits until the watches for its and its login's renewal have begun.</summary>
    public async Task<VaultSecret> HeldAsync()
    {
        VaultSecret held = await Database.GetAsync();
        await QuietAsync();
        return held;
    }

    /// <summary>Asks for the secret when its refresh is due, and waits for what comes of it.</summary>
    public async Task<VaultSecret> RefreshedAsync()
    {
        await QuietAsync();   // what the job itself has begun to renew
        await Database.GetAsync();
        await QuietAsync();
        return await Database.GetAsync();
    }

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

    private static Task<JobSession> StartJobAsync(
        IdentityEmulator emulator, JobIdentity identity, IAuditSink audit, TimeProvider? time, Action<VaultLoginOptions>? login, Action<VaultSecretOptions>? secret, string path, Action<TokenExchangeBuilder>? more) =>
        JobSession.StartAsync(b => Compose(b, emulator, identity, audit, time, login, secret, path, more));

    private static void Compose(
        TokenExchangeBuilder b, IdentityEmulator emulator, JobIdentity identity, IAuditSink audit, TimeProvider? time, Action<VaultLoginOptions>? login, Action<VaultSecretOptions>? secret, string path, Action<TokenExchangeBuilder>? more)
    {
        b.Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
            .Target("vault", Targets.VaultLogin(emulator.Vault.Address, "orders", login), "job")
            .Target("database", Targets.VaultSecret(emulator.Vault.Address, path, secret), t => t.Through = "vault")
            .Audit(audit).Time(time ?? TimeProvider.System).Jitter(() => 0).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false);
        more?.Invoke(b);
    }
}
