using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Policy.Remote;

/// <summary>A job whose policy is asked of an emulated decision point over a real socket; its issuer is in memory. Waits before a repeat are skipped; deadlines pass when the test moves the clock.</summary>
internal sealed class DecidedJob : IAsyncDisposable
{
    private DecidedJob(IdentityEmulator emulator, Language language, SkippingTime time, TestExchanger issuer, RecordingSink audit, JobSession session)
    {
        Emulator = emulator;
        Endpoint = language.Endpoint();
        Time = time;
        Issuer = issuer;
        Audit = audit;
        Session = session;
        Warehouse = session.Provider<BearerToken>("warehouse");
    }

    public IdentityEmulator Emulator { get; }

    public EmulatedDecisionPoint Point => Emulator.DecisionPoint;

    public EmulatorEndpoint Endpoint { get; }

    public SkippingTime Time { get; }

    public TestExchanger Issuer { get; }

    public RecordingSink Audit { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Warehouse { get; }

    /// <summary>How often a decision was asked for.</summary>
    public int Asked => Emulator.Ledger.Requests.Of(Endpoint);

    public static async Task<DecidedJob> StartAsync(Language language, IWorkloadIdentitySource? source = null, Action<TokenExchangeBuilder>? more = null)
    {
        IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        var time = new SkippingTime();
        var issuer = new TestExchanger(time);
        var audit = new RecordingSink();
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Job(new JobContext { Pipeline = "orders-nightly", Run = "7", Dataset = "orders", Purpose = "load" })
                .Identity("job", source ?? TestProofs.Source(time), ActsFor.Workload)
                .Target("warehouse", issuer, "job", "read", "write")
                .Policy(language.Policy(emulator.DecisionPoint)).Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false);
            more?.Invoke(b);
        });
        return new DecidedJob(emulator, language, time, issuer, audit, session);
    }

    public TokenExchangeException Failure() => Assert.ThrowsAsync<TokenExchangeException>(() => Warehouse.GetAsync().AsTask())!;

    public AccessDeniedException Denial() => Assert.ThrowsAsync<AccessDeniedException>(() => Warehouse.GetAsync().AsTask())!;

    /// <summary>Asks when the refresh is due, and waits for what comes of it.</summary>
    public async Task RefreshAsync(TimeSpan after)
    {
        Time.Advance(after);
        Warehouse.TryGet(out _);
        _ = await Warehouse.GetAsync();
        await HeldFlight.LandedAsync(Session, Warehouse);
    }

    public async ValueTask DisposeAsync()
    {
        Emulator.Faults.Clear();
        await Session.DisposeAsync();
        await Emulator.DisposeAsync();
    }
}
