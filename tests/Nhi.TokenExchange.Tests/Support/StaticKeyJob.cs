using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job with a login and a static key at the emulated Vault, and a service that wants the key, with real sockets between them.</summary>
internal sealed class StaticKeyJob : IAsyncDisposable
{
    public const string Owner = "Billing team";
    public const string Path = "legacy/billing";
    public const string Header = "X-Api-Key";
    public const string Permit = """{ "name": "billing-key", "effect": "permit", "when": { "target": "billing", "static": true } }""";
    public const string Login = """{ "name": "login", "effect": "permit", "when": { "target": "vault" } }""";

    private StaticKeyJob(IdentityEmulator emulator, VaultKeyValue engine, ScriptedIssuer service, RecordingSink audit, string key, JobSession session)
    {
        Emulator = emulator;
        Engine = engine;
        Service = service;
        Audit = audit;
        Key = key;
        Session = session;
    }

    public IdentityEmulator Emulator { get; }

    public VaultKeyValue Engine { get; }

    public ScriptedIssuer Service { get; }

    public RecordingSink Audit { get; }

    /// <summary>What the vault holds at first, and what the service takes.</summary>
    public string Key { get; private set; }

    public JobSession Session { get; }

    /// <summary>How often the key was asked for.</summary>
    public int Reads => Emulator.Ledger.Requests.Of(EmulatorEndpoint.VaultSecret);

    /// <summary>Made at run time, so that no file holds what looks like a key.</summary>
    public static string NewKey() => $"key{Guid.NewGuid():N}";

    /// <summary>Until when a key may be used that is declared now.</summary>
    public static DateTimeOffset In(TimeProvider? time, TimeSpan left) => (time ?? TimeProvider.System).GetUtcNow() + left;

    /// <summary>Starts all three.</summary>
    /// <param name="time">The clock of job and vault; the system's if null.</param>
    /// <param name="left">How long the key may be used. Default 90 days.</param>
    /// <param name="configure">Changes the options; the header is X-Api-Key before.</param>
    /// <param name="policy">The rules, each a JSON object; the usual two if null.</param>
    /// <param name="fill">Fills the engine; the key in its field if null.</param>
    /// <param name="ns">The namespace of login and engine.</param>
    /// <param name="hasVersions">Whether the engine is version 2.</param>
    /// <param name="more">Changes the job.</param>
    public static async Task<StaticKeyJob> StartAsync(
        TimeProvider? time = null, TimeSpan? left = null, Action<VaultStaticKeyOptions>? configure = null, string[]? policy = null, Action<VaultKeyValue, string>? fill = null, string ns = "", bool hasVersions = true, Action<TokenExchangeBuilder>? more = null)
    {
        IdentityEmulator emulator = await EmulatedJob.StartEmulatorAsync(time ?? TimeProvider.System);
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
        emulator.Vault.AddRole("orders", identity.Subject, ns: ns);
        VaultKeyValue engine = emulator.Vault.AddKeyValue(hasVersions: hasVersions, ns: ns);
        string key = NewKey();
        (fill ?? ((to, value) => to.Put(Path, ("value", value))))(engine, key);
        var audit = new RecordingSink();
        var service = new ScriptedIssuer(ScriptedAnswer.Status(500));
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Job(new JobContext { Pipeline = "orders-nightly" })
                .Identity("job", IdentitySources.From((request, _) => new ValueTask<SubjectToken>(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
                .Target("vault", Targets.VaultLogin(emulator.Vault.Address, "orders", o => o.Namespace = ns.Length > 0 ? ns : null), "job")
                .Target("billing", Targets.VaultStaticKey(emulator.Vault.Address, Path, Owner, In(time, left ?? TimeSpan.FromDays(90)), o =>
                {
                    o.Header.Name = Header;
                    o.Namespace = ns.Length > 0 ? ns : null;
                    o.Engine = hasVersions ? VaultKvEngine.Version2 : VaultKvEngine.Version1;
                    configure?.Invoke(o);
                }), t =>
                {
                    t.Through = "vault";
                    t.AllowedOrigins.Add(service.Uri);
                })
                .Policy(Policy.Policies.Of(policy ?? [Login, Permit]))
                .Audit(audit).Time(time ?? TimeProvider.System).Jitter(() => 0).EndWithin(TimeSpan.FromMinutes(1)).EndOnSignals(false);
            more?.Invoke(b);
        });
        var job = new StaticKeyJob(emulator, engine, service, audit, key, session);
        service.Respond = request => ScriptedAnswer.Status(request.Headers.GetValueOrDefault(Header) == job.Key ? 200 : 401);
        return job;
    }

    /// <summary>The service takes another key from now on; and the vault holds it, if it is told.</summary>
    public void Rotate(bool inVault = true)
    {
        Key = NewKey();
        if (inVault)
            Engine.Put(Path, ("value", Key));
    }

    /// <summary>What a client of the job is answered.</summary>
    public async Task<int> CallAsync(HttpContent? content = null)
    {
        using var http = new HttpClient(Session.CreateStaticKeyHandler("billing"));
        using HttpResponseMessage response = content is null ? await http.GetAsync(new Uri(Service.Uri, "/invoices")) : await http.PostAsync(new Uri(Service.Uri, "/invoices"), content);
        return (int)response.StatusCode;
    }

    /// <summary>Waits until no flight is in the air and none is still to be removed.</summary>
    /// <remarks>In this order: a flight stands in its slot before it is counted, and is counted still when it has left its slot.</remarks>
    public Task QuietAsync() => Eventually.HoldsAsync(
        () => !((SlotProvider<StaticKey>)Session.Provider<StaticKey>("billing")).HasFlight && !((SlotProvider<BearerToken>)Session.Provider<BearerToken>("vault")).HasFlight && Session.Leases.FlightsInTheAir == 0, "the landing of the last flight");

    public async ValueTask DisposeAsync()
    {
        Emulator.Faults.Clear();
        try
        {
            await BoundedEnd.EndAsync(Session, Audit);
        }
        finally
        {
            await Service.DisposeAsync();
            await Emulator.DisposeAsync();
        }
    }
}
