using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Invariants;

/// <summary>DESIGN 5.2: not in logs, exceptions, ToString, traces, metrics, audit or on the console; in no form.</summary>
[NonParallelizable]
public class I02_A_token_is_seen_by_nobody_but_its_target
{
    private const string Subject = "repo:octo/orders:ref:refs/heads/main";
    private static readonly string ServicePrincipal = Guid.NewGuid().ToString();

    private static IEnumerable<TestCaseData> Faults() =>
        from fault in new (string Name, Fault? Fault)[]
        {
            ("none", null),
            ("echoed in the description", Fault.Echo("subject_token")),
            ("HTML", Fault.Html()),
            ("garbage", Fault.Garbage()),
            ("cut", Fault.Truncate(60)),
            ("wider scope", Fault.WiderScope("admin")),
            ("other type", Fault.TokenType("mac")),
            ("life of words", Fault.ExpiresIn("\"soon\"")),
            ("no token", Fault.Without("access_token")),
            ("redirect", Fault.Redirect(new Uri("https://elsewhere.example/"))),
            ("reset", Fault.Reset()),
            ("500", Fault.Status(500)),
        }
        select new TestCaseData(fault.Fault).SetArgDisplayNames(fault.Name);

    [TestCaseSource(nameof(Faults))]
    public async Task A_whole_job_says_nothing_of_its_tokens(Fault? fault)
    {
        using var all = new Overheard();
        var time = new SkippingTime();
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => (o.ProofAlgorithm, o.Time) = ("ES256", time));
        emulator.Authorization.AddClient("orders", Subject, "dataset:orders", "dataset:customers");
        emulator.Databricks.AddServicePrincipal(ServicePrincipal, Subject, "sql");
        if (fault is not null)
            emulator.Faults.Always(EmulatorEndpoint.AuthorizationToken, fault);

        await RunAsync(emulator, time, all);

        Assert.That(all.Count, Is.GreaterThan(20), "something was said");
        string text = all.Text;
        EmulatorCanaries canaries = emulator.Canaries;
        Assert.That(text, Does.Contain("nhi.flight").And.Contain("nhi.exchange.duration").And.Contain("nhi.credential.live"), "traces and metrics are among it");
        Assert.That(text, Does.Not.Contain("?audience=").And.Not.Contain("&audience="), "an address is told without its query");
        foreach (string canary in new[] { canaries.Proof, canaries.RequestToken, canaries.Authorization, canaries.Databricks })
            Assert.That(Canary.FindIn(text, canary), Is.Empty, text);
    }

    // Without this, a fault that echoes nothing would pass for a redaction that works.
    [TestCase(EmulatorEndpoint.AuthorizationToken, "subject_token", null)]
    [TestCase(EmulatorEndpoint.EntraToken, "client_assertion", 70021)]
    public async Task An_echo_has_the_canary_where_a_message_that_is_cut_would_still_show_it(EmulatorEndpoint endpoint, string field, int? code)
    {
        await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
        emulator.Faults.Always(endpoint, Fault.Echo(field, code));
        using var http = new HttpClient(emulator.CreateHandler());
        using var form = new FormUrlEncodedContent([KeyValuePair.Create(field, emulator.MintProof(ProofShape.GitHub, "https://audience.example"))]);
        Uri uri = endpoint == EmulatorEndpoint.EntraToken ? new Uri(emulator.Entra.Authority, $"/{emulator.Entra.TenantId}/oauth2/v2.0/token") : emulator.Authorization.TokenEndpoint;

        using HttpResponseMessage answer = await http.PostAsync(uri, form);

        string description = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error_description"]!.GetValue<string>();
        Assert.That(Canary.FindIn(ExceptionText.Clean(description, 200), emulator.Canaries.Proof), Is.Not.Empty, description);
    }

    [Test]
    public void The_search_finds_a_planted_leak_in_each_form()
    {
        const string secret = "canary0123456789abcdef";
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes($"x{secret}yz");
        foreach ((string form, string text) in Canary.Forms(secret))
        {
            using var all = new Overheard();
            all.CreateLogger("leaky").LogInformation("token is {Token}", $"before{text}after");
            Assert.That(Canary.FindIn(all.Text, secret), Does.Contain(form));
        }
        Assert.That(Canary.FindIn(Convert.ToBase64String(bytes), secret), Is.Not.Empty);
        Assert.That(Canary.FindIn(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"xx{secret}yz")), secret), Is.Not.Empty);
    }

    [Test]
    public void A_planted_leak_in_an_exceptions_data_or_on_the_console_is_found()
    {
        const string secret = "canary0123456789abcdef";
        using var all = new Overheard();
        var leaky = new InvalidOperationException("outer", new InvalidOperationException("inner") { Data = { ["token"] = secret } });
        all.Hear(leaky);
        Assert.That(Canary.FindIn(all.Text, secret), Is.EqualTo(new[] { "raw" }));

        using var console = new Overheard();
        Console.Error.WriteLine(secret);
        Assert.That(Canary.FindIn(console.Text, secret), Is.EqualTo(new[] { "raw" }));
    }

    [TestCase("name")]
    [TestCase("tag")]
    [TestCase("event")]
    [TestCase("status")]
    [TestCase("baggage")]
    [TestCase("metric")]
    [TestCase("gauge")]
    public void A_planted_leak_in_a_trace_or_a_metric_is_found(string where)
    {
        const string secret = "canary0123456789abcdef";
        using var all = new Overheard();
        using var source = new ActivitySource("leaky");
        using var meter = new Meter("leaky");
        string At(string place) => where == place ? secret : "harmless";

        using (Activity activity = source.StartActivity(At("name"))!)
        {
            activity.SetTag("tag", At("tag")).SetBaggage("baggage", At("baggage")).AddEvent(new ActivityEvent(At("event"))).SetStatus(ActivityStatusCode.Error, At("status"));
        }
        meter.CreateCounter<long>("counter").Add(1, new KeyValuePair<string, object?>("tag", At("metric")));
        meter.CreateObservableGauge("gauge", () => new Measurement<double>(1, new KeyValuePair<string, object?>("tag", At("gauge"))));
        all.Observe();

        Assert.That(Canary.FindIn(all.Text, secret), Is.EqualTo(new[] { "raw" }), all.Text);
    }

    private static async Task RunAsync(IdentityEmulator emulator, TimeProvider time, Overheard all)
    {
        JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub, Subject);
        var environment = new Dictionary<string, string?>
        {
            ["ACTIONS_ID_TOKEN_REQUEST_URL"] = identity.RequestUrl.ToString(), ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = identity.RequestToken,
        };
        using ILoggerFactory loggers = LoggerFactory.Create(b => b.SetMinimumLevel(LogLevel.Trace).AddProvider(all));
        JobSession job = await JobSession.StartAsync(b => b
            .Logging(loggers).Time(time).EndOnSignals(false)
            .Identity("job", new GitHubActionsSource(name => environment.GetValueOrDefault(name)), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "orders"), t =>
            {
                t.Identity = "job";
                t.Scopes = ScopeSet.Of("dataset:orders", "dataset:customers");
                t.AllowedOrigins.Add(emulator.Warehouse.Address);
            })
            .Target("databricks", Targets.Databricks(emulator.Databricks.Host, ServicePrincipal), "job", "sql")
            .Target("wrong", Targets.Rfc8693(emulator.Authorization.Issuer, o =>
            {
                o.Client.Id = "orders";
                o.SubjectAudience = "https://somebody-else.example";
            }), "job", "dataset:orders"));
        all.Hear(job);

        foreach (string target in new[] { "warehouse", "databricks", "wrong" })
        {
            CredentialProvider<BearerToken> provider = job.Provider<BearerToken>(target);
            all.Hear(provider);
            try
            {
                BearerToken token = await provider.GetAsync();
                all.Hear(token);
                provider.Reject(token);
                all.Hear(await provider.GetAsync());
            }
            catch (TokenExchangeException failure)
            {
                all.Hear(failure);
            }
        }
        using (var http = new HttpClient(job.CreateHandler("warehouse")) { BaseAddress = emulator.Warehouse.Address })
        {
            try
            {
                using HttpResponseMessage rows = await http.GetAsync("api/datasets/orders/rows");
                all.Hear(rows);
                all.Hear(rows.RequestMessage);
            }
            catch (TokenExchangeException failure)
            {
                all.Hear(failure);
            }
        }
        all.Observe();
        JobReport report = await job.CompleteAsync();
        all.Hear(report);
        foreach (LeaseOutcome lease in report.Leases)
            all.Hear(lease);
    }
}
