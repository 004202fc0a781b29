namespace Nhi.TokenExchange.Tests.Policy;

/// <summary>A job whose policy is a file in a temporary folder, with time in the test's hand.</summary>
internal abstract class PolicyFileFixture : OidcFileFixture
{
    protected LoggedText Log { get; private set; } = new();

    protected RecordingSink Audit { get; private set; } = new();

    protected TestExchanger Issuer { get; private set; } = new(TimeProvider.System);

    protected string PolicyPath => Path.Join(Folder, "nhi.policy.json");

    [SetUp]
    public void MakeJob()
    {
        Log = new LoggedText();
        Audit = new RecordingSink();
        Issuer = new TestExchanger(Time);
    }

    [TearDown]
    public void CloseLog() => Log.Dispose();

    /// <summary>A document that permits the warehouse with one scope.</summary>
    protected static string Document(long revision, string scope = "read") =>
        Policies.Text(revision, Policies.Permit("orders", """{ "target": "warehouse", "job": { "dataset": "orders" } }""", $$"""{ "scopes": [ "{{scope}}" ] }"""));

    /// <summary>Puts a version in the place of the one before, as a whole.</summary>
    protected void Put(string text, UnixFileMode? mode = null)
    {
        string next = Path.Join(Folder, "next");
        File.WriteAllText(next, text);
        if (mode is { } wanted && !OperatingSystem.IsWindows())
            File.SetUnixFileMode(next, wanted);
        File.Move(next, PolicyPath, overwrite: true);
    }

    protected Task<JobSession> StartAsync(Action<TokenExchangeBuilder>? more = null) => JobSession.StartAsync(b =>
    {
        b.Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders" }).JobFromRuntime(false)
            .Identity("job", TestProofs.Source(Time), ActsFor.Workload)
            .Target("warehouse", Issuer, identity: "job", "read", "write")
            .PolicyFile(PolicyPath).Audit(Audit).Time(Time).Jitter(() => 0).EndOnSignals(false).Logging(Log);
        more?.Invoke(b);
    });

    protected static PolicyFile FileOf(JobSession job) => (PolicyFile)job.Plan.Policy;

    /// <summary>Lets the file be looked at, and waits for what comes of it.</summary>
    protected Task SeenAsync(Func<bool> condition, string what)
    {
        Time.Advance(TimeSpan.FromSeconds(5));
        return Eventually.HoldsAsync(condition, what);
    }
}
