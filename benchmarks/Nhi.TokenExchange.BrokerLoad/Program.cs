using BrokerLoad;
using Nhi.TokenExchange;

// A broker under load: CLIENTS clients with tokens of their own ask it for SECONDS as fast as they are answered, attackers beside them, and then as many ask a bare Kestrel that answers as many bytes. One process, so the clients' work is in both figures.
// `--help` says how it is called.
if (args is ["--help" or "-h" or "-?"])
{
    Console.WriteLine(LoadOptions.Usage);
    return 0;
}

LoadOptions options;
try
{
    options = LoadOptions.Parse(args);
    if (options.Report is { } wanted)   // else a run of minutes would end without one
    {
        Directory.CreateDirectory(Path.GetDirectoryName(wanted)!);
        foreach (string place in new[] { wanted, Path.ChangeExtension(wanted, ".json") })
            await File.Open(place, FileMode.OpenOrCreate, FileAccess.Write).DisposeAsync();   // the last one stays until there is another
    }
}
catch (Exception wrong) when (wrong is FormatException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(wrong.Message);
    Console.Error.WriteLine(LoadOptions.Usage);
    return 2;
}

(int clients, TimeSpan time, string? file) = options;
var warmUp = TimeSpan.FromSeconds(15);
await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
emulator.Authorization.AddClient("orders", identity.Subject, "dataset:orders");
await using JobSession job = await JobSession.StartAsync(b => b
    .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
    .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "orders"), "job", "dataset:orders")
    .EndOnSignals(false));
await using TokenBroker broker = await TokenBroker.StartAsync(job, o =>
{
    o.ListenOnLoopback().TokenExchange("warehouse", "https://warehouse.example");
    o.MaxClients = clients;
    o.RequestsPerSecond = 100_000;   // what is measured is the broker, not its limit
});
BrokerClient[] admitted = [.. Enumerable.Range(0, clients).Select(i => broker.Admit(FormattableString.Invariant($"client {i}")))];
string[] tokens = [.. admitted.Select(client => File.ReadAllText(client.Environment["NHI_BROKER_TOKEN_FILE"]))];

await using BareKestrel bare = await BareKestrel.StartAsync(await Load.AnswerLengthAsync(Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[0])));
await Load.RunAsync(clients, warmUp, i => Load.Post(bare.Address, tokens[i]));   // both sides in finished code
await Load.RunAsync(clients, warmUp, i => Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[i]));

Load.Result ours;
var attackers = new Attackers(broker.Address, tokens[0]);
await using (attackers)
    ours = await Load.RunAsync(clients, time, i => Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[i]));
int calls = emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken);
Load.Result floor = await Load.RunAsync(clients, time, i => Load.Post(bare.Address, tokens[i]));

var report = new LoadReport(clients, time, ours, floor, clients, calls, attackers.Made);
Console.Write(report.ToMarkdown());
if (file is not null)
    report.Write(file);
return report.IsGood ? 0 : 1;
