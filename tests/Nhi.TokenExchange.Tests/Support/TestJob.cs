namespace Nhi.TokenExchange.Tests;

/// <summary>A job with one target on an issuer in memory, and time in the test's hand. The usual one: for what the pipeline does between source and issuer, without HTTP.</summary>
internal sealed class TestJob : IAsyncDisposable
{
    private TestJob(ManualTimeProvider time, TestExchanger issuer, RecordingSink audit, TestPolicy policy, JobSession session)
    {
        Time = time;
        Issuer = issuer;
        Audit = audit;
        Policy = policy;
        Session = session;
        Warehouse = session.Provider<BearerToken>("warehouse");
    }

    public ManualTimeProvider Time { get; }

    public TestExchanger Issuer { get; }

    public RecordingSink Audit { get; }

    public TestPolicy Policy { get; }

    public JobSession Session { get; }

    public CredentialProvider<BearerToken> Warehouse { get; }

    public static async Task<TestJob> StartAsync(
        Action<TestExchanger>? issuer = null, Action<TargetOptions>? target = null, IWorkloadIdentitySource? source = null, Action<TokenExchangeBuilder>? more = null)
    {
        var time = new ManualTimeProvider();
        var exchanger = new TestExchanger(time);
        issuer?.Invoke(exchanger);
        var audit = new RecordingSink();
        var policy = new TestPolicy();
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Job(new JobContext { Pipeline = "orders-nightly", Run = "1", Dataset = "orders", Purpose = "load" })
                .Identity("job", source ?? TestProofs.Source(time), ActsFor.Workload)
                .Target("warehouse", exchanger, t =>
                {
                    t.Identity = "job";
                    t.Scopes = ScopeSet.Of("read", "write");
                    target?.Invoke(t);
                })
                .Policy(policy).Audit(audit).Time(time).Jitter(() => 0).EndOnSignals(false);
            more?.Invoke(b);
        });
        return new TestJob(time, exchanger, audit, policy, session);
    }

    /// <summary>Waits until no flight is in the air and none is still to be removed.</summary>
    public Task QuietAsync() => HeldFlight.LandedAsync(Session, Warehouse);

    public async ValueTask DisposeAsync()
    {
        Issuer.Gate?.Open();
        await BoundedEnd.EndAsync(Session, Audit);
    }
}
