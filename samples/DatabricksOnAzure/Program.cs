using System.Security.Cryptography.X509Certificates;
using Nhi.TokenExchange;

// Managed identity, Entra ID, Databricks: one chain. Each hop proves the next; the job's code holds no secret and sees one provider.
// Offline, on the emulator; in Azure the addresses and ids at the top are yours, and TrustRoots is not needed.
await using IdentityEmulator emulator = await IdentityEmulator.StartAsync(options => options.EntraAlgorithm = "ES256");
Uri workspace = emulator.Databricks.Host;
const string ServicePrincipal = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";
const string Federation = "api://databricks-federation";   // an app registration of your own: the audience of the second proof

// What administrators set up once.
ManagedIdentity machine = emulator.ManagedIdentity.AddUserAssigned("orders-nightly");
emulator.Entra.AddResource(Federation, tokenVersion: 2, applicationId: Federation);
EntraApplication application = emulator.Entra.AddApplication().Trust(machine);                     // a federated identity credential for the managed identity
emulator.Databricks.AddServicePrincipal(ServicePrincipal, subject: null).Policies.Add(new FederationPolicy   // a federation policy for the application
{
    Issuer = emulator.Entra.IssuerOf(), Subject = application.ObjectId, Audiences = [Federation],
});
foreach ((string name, string value) in emulator.ManagedIdentity.EnvironmentOf(ManagedIdentityHost.Imds))
    Environment.SetEnvironmentVariable(name, value);   // as a host in Azure has it

#region chain
await using JobSession job = await JobSession.StartAsync(b => b
    .Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" })
    .Identity("machine", IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(machine.ClientId)))
    .Target("entra", Targets.Entra(emulator.Entra.TenantId, application.ClientId, o => o.AuthorityHost = emulator.Entra.Authority), identity: "machine", $"{Federation}/.default")
    .Target("warehouse", Targets.Databricks(workspace, ServicePrincipal), target =>
    {
        target.Through = "entra";
        target.Scopes = ScopeSet.Of("sql");
    })
    .TrustRoots(new X509Certificate2Collection(emulator.Certificate)));
BearerToken token = await job.Provider<BearerToken>("warehouse").GetAsync();
#endregion

foreach (LedgerIssue issued in emulator.Ledger.Issued)
    Console.WriteLine($"{issued.Issuer} issued {issued.Fingerprint} for {issued.Subject}: {issued.Scope} {string.Join(' ', issued.Audience)}");
Console.WriteLine($"the job holds {token}");
Console.WriteLine(await job.CompleteAsync());
return emulator.Ledger.Issued.Count == 3 && emulator.Ledger.Issued[^1].Fingerprint == token.Fingerprint ? 0 : 1;
