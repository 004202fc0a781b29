using System.Globalization;
using BrokerLoad;
using Nhi.TokenExchange;

// A broker under load: CLIENTS clients with tokens of their own ask it for SECONDS as fast as they are answered, and then as many ask a bare Kestrel that answers as many bytes. One process, so the clients' work is in both figures.
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
});
BrokerClient[] admitted = [.. Enumerable.Range(0, clients).Select(i => broker.Admit(FormattableString.Invariant($"client {i}")))];
string[] tokens = [.. admitted.Select(client => File.ReadAllText(client.Environment["NHI_BROKER_TOKEN_FILE"]))];

Load.Result ours = await Load.RunAsync(clients, time, i => Load.Post(new Uri(broker.Address, "oauth2/token"), tokens[i]));
int exchanges = emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken);
await using BareKestrel bare = await BareKestrel.StartAsync();
Load.Result floor = await Load.RunAsync(clients, time, i => Load.Post(bare.Address, tokens[i]));

Console.WriteLine(FormattableString.Invariant($"{clients} clients, {time.TotalSeconds:0} s each, {Environment.ProcessorCount} processors"));
Console.WriteLine("| | requests | errors | per second | p50 ms | p99 ms |");
Console.WriteLine("|---|--:|--:|--:|--:|--:|");
Console.WriteLine($"| broker | {ours} |");
Console.WriteLine($"| bare Kestrel | {floor} |");
Console.WriteLine(FormattableString.Invariant($"exchanges at the issuer: {exchanges}"));
return ours.Errors == 0 && exchanges == clients ? 0 : 1;
