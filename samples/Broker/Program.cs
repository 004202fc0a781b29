using System.Diagnostics;
using BrokerSample;
using Nhi.TokenExchange;

// A program that knows nothing of tokens gets one for as long as it runs. Offline: the authorization server is emulated.
await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256");
JobIdentity identity = emulator.JobIdentity(ProofShape.GitHub);
emulator.Authorization.AddClient("orders", identity.Subject, "dataset:orders");
await using JobSession job = await JobSession.StartAsync(b => b
    .Identity("job", IdentitySources.From((request, _) => new(new SubjectToken(identity.Mint(request.Audience.ToString()), SubjectTokenType.Jwt))), ActsFor.Workload)
    .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o => o.Client.Id = "orders"), "job", "dataset:orders")
    .EndOnSignals(false));

await using TokenBroker broker = await TokenBroker.StartAsync(job, o => o.TokenExchange("warehouse", "https://warehouse.example"));
Console.WriteLine($"The broker listens on a socket of mode {(OperatingSystem.IsWindows() ? "" : Convert.ToString((int)File.GetUnixFileMode(broker.SocketPath!), 8))}.");

var start = new ProcessStartInfo("sh", ["-c", Legacy.Script]) { RedirectStandardOutput = true };
await using (BrokerClient client = broker.Admit("legacy"))
{
    client.ApplyTo(start.Environment);
    using Process program = Process.Start(start)!;
    client.BindTo(program.Id);
    Console.WriteLine($"The program says: {(await program.StandardOutput.ReadToEndAsync()).Trim()}");
    await program.WaitForExitAsync();
}
LedgerIssue issued = emulator.Ledger.Issued.Single();
Console.WriteLine($"The issuer's ledger: {issued.Scope}, {(issued.RevokedAt is null ? "alive" : "revoked when the program had ended")}.");
