using System.Globalization;
using BrokerLoad;
using Nhi.TokenExchange;

// A broker under load: CLIENTS clients with tokens of their own ask it for SECONDS as fast as they are answered, attackers beside them, and then as many ask a bare Kestrel that answers as many bytes. One process, so the clients' work is in both figures.
// Called as: [CLIENTS [SECONDS [REPORT.md]]]. Exit code 1: an error, more calls at the issuer than there are grants that differ, or an attack that was not refused.
int clients = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
TimeSpan time = TimeSpan.FromSeconds(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 60);

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
await Load.RunAsync(Math.Min(clients, 16), TimeSpan.FromSeconds(1), i => Load.Post(bare.Address, tokens[i]));   // both sides in finished code
await Load.RunAsync(Math.Min(clients, 16), TimeSpan.FromSeconds(1), i => Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[i]));

Load.Result ours;
var attackers = new Attackers(broker.Address, tokens[0]);
await using (attackers)
    ours = await Load.RunAsync(clients, time, i => Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[i]));
int calls = emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken);
Load.Result floor = await Load.RunAsync(clients, time, i => Load.Post(bare.Address, tokens[i]));

var report = new LoadReport(clients, time, ours, floor, clients, calls, attackers.Made);
Console.Write(report.ToMarkdown());
if (args.Length > 2)
    report.Write(args[2]);
return report.IsGood ? 0 : 1;
