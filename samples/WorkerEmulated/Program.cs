using System.Diagnostics;
using Nhi.TokenExchange;

// The worker of samples/Worker, unchanged, against the emulator. All that it is told are addresses and files, by variables that override its appsettings.json.
//   dotnet run --project samples/WorkerEmulated
const string Subject = "system:serviceaccount:jobs:orders-nightly";
const string ServicePrincipal = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";   // the ClientId in the worker's settings

await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
string folder = Directory.CreateTempSubdirectory("nhi-worker-").FullName;
try
{
    // What administrators set up once: who may have what.
    emulator.Authorization.AddClient("orders-nightly", Subject, "dataset:orders", "dataset:customers");
    emulator.Databricks.AddServicePrincipal(ServicePrincipal, Subject, "sql");

    // What the platform does: a proof for each audience, in a file, as a kubelet writes it.
    JobIdentity job = emulator.JobIdentity(ProofShape.Kubernetes, Subject);
    string account = Path.Combine(folder, "account"), workspace = Path.Combine(folder, "workspace");
    job.WriteProofFile(account, emulator.Authorization.Issuer.OriginalString);
    job.WriteProofFile(workspace, emulator.Databricks.TokenEndpoint.OriginalString);

    int exitCode = await RunWorkerAsync(new Dictionary<string, string>
    {
        ["Apis__Warehouse"] = emulator.Warehouse.Address.OriginalString,
        ["Apis__Workspace"] = emulator.Warehouse.Address.OriginalString,   // the emulator has one API, which takes the tokens of both issuers
        ["TokenExchange__Identities__job__Path"] = account,
        ["TokenExchange__Identities__workspace__Path"] = workspace,
        ["TokenExchange__Targets__account__Issuer"] = emulator.Authorization.Issuer.OriginalString,
        ["TokenExchange__Targets__warehouse__Issuer"] = emulator.Authorization.Issuer.OriginalString,
        ["TokenExchange__Targets__warehouse__AllowedOrigins__0"] = emulator.Warehouse.Address.OriginalString,
        ["TokenExchange__Targets__databricks__Host"] = emulator.Databricks.Host.OriginalString,
        ["TokenExchange__Targets__databricks__AllowedOrigins__0"] = emulator.Warehouse.Address.OriginalString,
    });

    Console.WriteLine();
    Console.WriteLine("What the emulator saw:");
    foreach (LedgerIssue issue in emulator.Ledger.Issued)
        Console.WriteLine($"  issued for {issue.Scope}, {(issue.RevokedAt is null ? "not revoked: it dies by itself" : "revoked at the job's end")}");
    Console.WriteLine($"  used {emulator.Ledger.Uses.Count} times, refused {emulator.Ledger.Uses.Count(use => use.Verdict != UseVerdict.Accepted)} times");
    Console.WriteLine($"The worker ended with exit code {exitCode}.");
    return exitCode;
}
finally
{
    Directory.Delete(folder, recursive: true);
}

static async Task<int> RunWorkerAsync(Dictionary<string, string> settings)
{
    // samples/WorkerEmulated/bin/… and samples/Worker/bin/… are built alike. The last folder of that name is the sample's: the checkout's own may be called so, too.
    string[] folders = AppContext.BaseDirectory.Split(Path.DirectorySeparatorChar);
    folders[Array.LastIndexOf(folders, "WorkerEmulated")] = "Worker";
    string worker = Path.Combine(string.Join(Path.DirectorySeparatorChar, folders), "Worker.dll");
    var start = new ProcessStartInfo("dotnet", [worker]);
    foreach ((string name, string value) in settings)
        start.Environment.TryAdd(name, value);   // what you set yourself wins: try a mistake
    using Process process = Process.Start(start)!;
    await process.WaitForExitAsync();
    return process.ExitCode;
}
