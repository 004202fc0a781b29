using System.Net;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>FAULTS 1a, rows 3 to 6: a workspace refuses the last 30 seconds of a life; nobody who calls through us ever notices.</summary>
internal sealed class DatabricksEdgeTests
{
    private static readonly Uri Host = new("https://workspace.example");
    private static readonly Uri Rows = new(Host, "/api/2.0/sql/warehouses");

    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task A_hundred_thousand_calls_round_the_expiry_meet_no_refusal()
    {
        const int Lives = 25, CallsOfALife = 4_000;
        var workspace = new InMemoryWorkspace(_time);
        await using JobSession job = await JobAsync(workspace);
        using var client = new HttpMessageInvoker(job.CreateHandler("warehouse", workspace.Api));
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>("warehouse");
        int good = 0;
        for (int life = 0; life < Lives; life++)
        {
            // An idle job comes back 41 seconds before the end; its token endpoint takes its time. Calls go on, through the instant from which the old token is not handed out (40 s)
            // and the one from which it is refused (30 s), to 12 seconds before the end.
            var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            BearerToken token = await provider.GetAsync();
            _time.Advance(token.ExpiresAt - _time.GetUtcNow() - TimeSpan.FromSeconds(41));
            workspace.Gate = gate.Task;
            var calls = new List<Task<HttpStatusCode>>(CallsOfALife);
            for (int call = 0; call < CallsOfALife; call++)
            {
                calls.Add(CallAsync(client));
                _time.Advance(TimeSpan.FromSeconds(29) / CallsOfALife);
            }
            gate.SetResult();
            good += (await Task.WhenAll(calls)).Count(status => status == HttpStatusCode.OK);
            workspace.Gate = Task.CompletedTask;
        }

        Assert.That((good, workspace.Refusals), Is.EqualTo((Lives * CallsOfALife, 0)));
        Assert.That(workspace.Exchanges, Is.EqualTo(Lives + 1));
    }

    [Test]
    public async Task Ten_thousand_calls_over_three_lives_cost_one_exchange_a_life()
    {
        const int Calls = 10_000;
        var workspace = new InMemoryWorkspace(_time);
        await using JobSession job = await JobAsync(workspace);
        using var client = new HttpMessageInvoker(job.CreateHandler("warehouse", workspace.Api));
        TargetRuntime<BearerToken> runtime = (TargetRuntime<BearerToken>)job.Runtime("warehouse");
        // A life with us lasts until its refresh: an hour less the margin of 40 seconds, less 20 minutes.
        TimeSpan life = TimeSpan.FromHours(1) - TimeSpan.FromSeconds(40) - TimeSpan.FromMinutes(20);
        for (int call = 0; call < Calls; call++)
        {
            Assert.That(await CallAsync(client), Is.EqualTo(HttpStatusCode.OK));
            if (runtime.Slot.State.Flight is { } refresh)
                await refresh.Landed;
            _time.Advance(3 * life / Calls);
        }

        Assert.That((workspace.Exchanges, workspace.Refusals), Is.EqualTo((3, 0)));
        Assert.That(workspace.Served.Values.Sum(), Is.EqualTo(Calls));
        Assert.That(workspace.Served, Has.Count.EqualTo(3));
        Assert.That(workspace.Served.Values, Is.All.InRange((Calls / 3) - 2, (Calls / 3) + 2));
    }

    [Test]
    public async Task Ten_thousand_calls_over_the_wire_cost_one_exchange_a_life_too()
    {
        const int Calls = 10_000;
        const string AppId = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => (o.Time, o.ProofAlgorithm) = (_time, "ES256"));
        JobIdentity identity = emulator.JobIdentity(ProofShape.Kubernetes);
        emulator.Databricks.AddServicePrincipal(AppId, identity.Subject);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))))
            .Target("warehouse", Targets.Databricks(emulator.Databricks.Host, AppId), "job", "sql").Time(_time).Jitter(() => 0).EndOnSignals(false));
        using var client = new HttpMessageInvoker(job.CreateHandler("warehouse"));
        TargetRuntime<BearerToken> runtime = (TargetRuntime<BearerToken>)job.Runtime("warehouse");
        TimeSpan life = TimeSpan.FromHours(1) - TimeSpan.FromSeconds(40) - TimeSpan.FromMinutes(20);
        for (int call = 0; call < Calls; call++)
        {
            Assert.That(await CallAsync(client, new Uri(emulator.Databricks.Host, "/api/2.0/sql/warehouses")), Is.EqualTo(HttpStatusCode.OK));
            if (runtime.Slot.State.Flight is { } refresh)
                await refresh.Landed;
            _time.Advance(((3 * life) - TimeSpan.FromSeconds(30)) / Calls);   // its tokens end at whole seconds, so its lives are a little shorter
        }

        Assert.That(emulator.Ledger.Issued, Has.Count.EqualTo(3));
        Assert.That(emulator.Ledger.Uses, Has.Count.EqualTo(Calls));
        Assert.That(emulator.Ledger.Uses.Select(use => use.Verdict), Is.All.EqualTo(UseVerdict.Accepted));
    }

    [Test]
    public async Task An_outage_of_the_token_endpoint_as_long_as_the_refresh_window_is_not_felt()
    {
        var workspace = new InMemoryWorkspace(_time);
        await using JobSession job = await JobAsync(workspace);
        using var client = new HttpMessageInvoker(job.CreateHandler("warehouse", workspace.Api));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        _time.Advance(token.ExpiresAt - _time.GetUtcNow() - TimeSpan.FromSeconds(40) - TimeSpan.FromMinutes(20));
        workspace.IsDown = true;
        for (int second = 0; second < (20 * 60) - 1; second++)
        {
            Assert.That(await CallAsync(client), Is.EqualTo(HttpStatusCode.OK));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.That((workspace.Exchanges, workspace.Refusals, workspace.Served.Values.Single()), Is.EqualTo((1, 0, (20 * 60) - 1)));
        // What is still in the air waits on this clock, and the job's end for it.
        var runtime = (TargetRuntime<BearerToken>)job.Runtime("warehouse");
        await Eventually.HoldsAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return runtime.Slot.State.Flight is null;
            },
            "the landing of the last flight");
    }

    [Test]
    public async Task A_403_that_says_dead_costs_one_exchange_and_one_repeat()
    {
        var workspace = new InMemoryWorkspace(_time);
        await using JobSession job = await JobAsync(workspace, o => o.UsableMargin = TimeSpan.Zero);   // as other clients have it
        using var client = new HttpMessageInvoker(job.CreateHandler("warehouse", workspace.Api));
        BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
        _time.Advance(token.ExpiresAt - _time.GetUtcNow() - TimeSpan.FromSeconds(20));
        Assert.That(await CallAsync(client), Is.EqualTo(HttpStatusCode.OK));
        Assert.That((workspace.Exchanges, workspace.Refusals), Is.EqualTo((2, 1)));
    }

    private static Task<HttpStatusCode> CallAsync(HttpMessageInvoker client) => CallAsync(client, Rows);

    private static async Task<HttpStatusCode> CallAsync(HttpMessageInvoker client, Uri address)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        using HttpResponseMessage response = await client.SendAsync(request, CancellationToken.None);
        return response.StatusCode;
    }

    private Task<JobSession> JobAsync(InMemoryWorkspace workspace, Action<DatabricksOptions>? configure = null) => JobSession.StartAsync(b => b
        .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
        .Target("warehouse", Targets.Databricks(Host, "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10", configure), "job", "sql")
        .Time(_time).Jitter(() => 0).EndOnSignals(false).Transport(() => workspace.TokenEndpoint));
}
