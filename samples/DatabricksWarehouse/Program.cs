using DatabricksWarehouse;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange;

// A typed HttpClient on a Databricks-style workspace: REST, and a SQL statement that runs for 100 minutes while its tokens live for 60. No secret anywhere.
// Offline, on the emulator, whose clock the pauses of the polling move: it takes seconds. The job is in a pod; in a real one the proof is a file:
// IdentitySources.OidcFile("/var/run/secrets/job/token").
var clock = new ManualTimeProvider();
await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(options => (options.Time, options.ProofAlgorithm) = (clock, "ES256"));
const string ServicePrincipal = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";

// What administrators set up once, and how long the statement takes.
JobIdentity pod = emulator.JobIdentity(ProofShape.Kubernetes);
emulator.Databricks.AddServicePrincipal(ServicePrincipal, pod.Subject, "sql");
emulator.Databricks.Statements.StartTime = TimeSpan.FromMinutes(5);
emulator.Databricks.Statements.RunTime = TimeSpan.FromMinutes(95);

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
builder.Services.AddTokenExchange(b => b
    .Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" })
    .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(pod.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))))
    .Target("warehouse", Targets.Databricks(emulator.Databricks.Host, ServicePrincipal), target =>
    {
        target.Identity = "job";
        target.Scopes = ScopeSet.Of("sql");
        target.AttestedFacts = JobFacts.Run;   // the pod, as its proof says
        target.AttestingIssuer = emulator.Issuer.OriginalString;   // and the cluster: anybody may have one
    })
    .Time(clock));
#region clients
builder.Services.AddHttpClient<WorkspaceClient>(client => client.BaseAddress = emulator.Databricks.Host).AddCredential("warehouse");
builder.Services.AddTransient<StatementClient>();
#endregion
builder.Services.AddSingleton<Pause>((time, cancellationToken) =>   // offline. Against a real workspace: Task.Delay(time, TimeProvider.System, cancellationToken)
{
    cancellationToken.ThrowIfCancellationRequested();
    clock.Advance(time);
    return Task.CompletedTask;
});

using IHost host = builder.Build();
await host.StartAsync();
SqlWarehouse warehouse = (await host.Services.GetRequiredService<WorkspaceClient>().ListWarehousesAsync(CancellationToken.None))[0];
Console.WriteLine($"warehouse {warehouse.Name} is {warehouse.State}");

var statements = host.Services.GetRequiredService<StatementClient>();
StatementResult result = await statements.ExecuteAsync("SELECT * FROM main.shop.orders LIMIT 2500", warehouse.Id, CancellationToken.None);
Console.WriteLine($"{result.Rows.Count} of {result.TotalRowCount} rows: {string.Join(", ", result.Columns)}");
Console.WriteLine($"the first: {string.Join(", ", result.Rows[0])}");

IReadOnlyList<LedgerUse> uses = emulator.Ledger.Uses;
int tokens = uses.Select(use => use.Fingerprint).Distinct().Count();
int refused = uses.Count(use => use.Verdict != UseVerdict.Accepted);
Console.WriteLine($"{uses.Count} requests in {(clock.GetUtcNow() - uses[0].At).TotalMinutes:0} minutes with {tokens} tokens of one hour; {emulator.Ledger.Issued.Count} exchanges, {refused} refusals");
await host.StopAsync();

bool isRight = result.Rows.Count == 2500 && tokens >= 3 && refused == 0 && emulator.Ledger.Issued.Count == tokens;
Console.WriteLine(isRight ? "The statement outlived its tokens, and nobody noticed." : "Something is not as it should be.");
return isRight ? 0 : 1;
