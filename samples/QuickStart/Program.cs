// The whole story, offline: a job proves who it is, gets a credential that lives seconds, reads data, and gives it back.
// No secret stands anywhere: not here, not in a setting, not in a file. Output: see the README.
using System.Net;
using Microsoft.Extensions.Configuration;
using Nhi.TokenExchange;
using QuickStart;

if (KilledRun.IsThisProcess(args))   // step 11 starts this program once more
    return await KilledRun.WorkAsync(args);

return await Story.TellAsync(async story =>
{
    story.Step("emulator", "an issuer of proofs, an authorization server, a Databricks-style workspace and a warehouse, on loopback");
    await using IdentityEmulator emulator = await IdentityEmulator.StartAsync();
    using var trust = Trust.SetUpOnce(emulator);   // who is trusted for what: all that administrators ever store
    story.Say($"warehouse at {emulator.Warehouse.Address}; stored secrets: none");

    story.Step("proof", "the job says who it is; the authorization server believes its signature");
    var policy = new LookingPolicy();
    await using JobSession job = await JobSession.StartAsync(b => b
        .Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" })
        .JobFromRuntime(false)   // the CI runner that this may run on is none of the story
        .Identity("job", IdentitySources.OidcFile(trust.Proof))
        .Identity("workspace", IdentitySources.OidcFile(trust.WorkspaceProof))
        .Target("warehouse", Targets.Rfc8693(emulator.Authorization.Issuer, o =>
        {
            o.Client.Id = Trust.ClientId;
            o.UsableMargin = TimeSpan.FromSeconds(1);
        }), t =>
        {
            t.Identity = "job";
            t.Scopes = ScopeSet.Of("dataset:orders");
            t.AttestedFacts = JobFacts.Run;   // a proof that does not say which run this is is not sent
            t.AttestingIssuer = emulator.Issuer.OriginalString;   // the cluster that is believed about it
            t.AllowedOrigins.Add(emulator.Warehouse.Address);
        })
        .Target("databricks", Targets.Databricks(emulator.Databricks.Host, trust.ServicePrincipalId), identity: "workspace", "sql")
        .AuditFolder(trust.AuditFolder)   // what can't be recorded is not handed out
        .Policy(policy));
    CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
    BearerToken first = await warehouse.GetAsync();
    AccessRequest seen = policy.Seen!;
    story.Say($"{seen.SubjectIssuer} says: I am {seen.Subject}, in pod {seen.Claims["kubernetes.io/pod/name"]}");
    story.Say($"of the job, attested: {seen.AttestedText()}");
    story.Say($"of the job, only asserted: {seen.AssertedText()}");
    story.Say($"exchanged for {first}");
    story.Expect(emulator.Ledger.IsAlive(first.Fingerprint), "the authorization server knows the credential and it is alive");
    story.Expect(seen.AttestedFacts.HasFlag(JobFacts.Run), "the proof attests the run");

    story.Step("read", "rows of 'orders' over an ordinary HttpClient");
    using var http = new HttpClient(job.CreateHandler("warehouse")) { BaseAddress = emulator.Warehouse.Address };
    OrderPage page = await http.ReadOrdersAsync(count: 3);
    foreach (Order order in page.Rows)
        story.Say(order.ToString());
    story.Expect(page.Rows.Count == 3, "three rows came");

    story.Step("hits", "ten million more gets of the same credential");
    HitCost cost = HitCost.Measure(warehouse, 10_000_000);
    story.Say(cost.ToString());
    story.Expect(cost.BytesEach == 0, "a hit allocates nothing");

    story.Step("refresh", "the credential is replaced while reading goes on");
    int reads = 0;
    while ((await warehouse.GetAsync()).Fingerprint == first.Fingerprint)
    {
        story.Expect((await http.ReadOrdersAsync(count: 100)).Rows.Count == 100, "every read succeeds");
        reads++;
    }
    BearerToken second = await warehouse.GetAsync();
    story.Say($"{reads} reads, none failed; {second} came in the background");
    story.Expect(emulator.Ledger.MaxConcurrentExchanges == 1, "there was never more than one exchange at once");

    story.Step("secret", "a static secret in the configuration is refused, with what to write instead");
    IConfigurationSection settings = new ConfigurationBuilder().AddInMemoryCollection(Trust.SettingsWithASecret()).Build().GetSection("TokenExchange");
    TokenExchangeException refused = await story.ThrowsAsync(() => JobSession.StartAsync(b => b.Configuration(settings)));
    story.Say(refused.Message);
    story.Expect(refused.Code == "NHI1002", "the code says: static secret");

    story.Step("end", "the job ends, and its credentials with it");
    BearerToken databricks = await job.Provider<BearerToken>("databricks").GetAsync();
    JobReport report = await job.CompleteAsync();
    foreach (LeaseOutcome lease in report.Leases)
        story.Say(lease.ToString());
    HttpStatusCode revoked = await emulator.Warehouse.TryAsync(second);
    HttpStatusCode lives = await emulator.Warehouse.TryAsync(databricks);
    story.Say($"the warehouse says to the revoked one {(int)revoked}, to the Databricks one {(int)lives}: it dies by itself at {databricks.ExpiresAt:u}");
    story.Expect(revoked == HttpStatusCode.Unauthorized && second.ExpiresAt > DateTimeOffset.UtcNow, "the revoked credential is refused at once, before its time");
    story.Expect(lives == HttpStatusCode.OK, "the report told the truth: that one can't be revoked");
    story.Expect((await story.ThrowsAsync(async () => await warehouse.GetAsync())).Stage == ExchangeStage.JobEnded, "nothing is handed out any more");

    await PolicySteps.TellAsync(story, emulator, trust);

    story.Step("kill", "another run is killed (SIGKILL) with two credentials in hand; the next start finds its journal and gives them back");
    await KilledRun.TellAsync(story, emulator, trust);

    AuditSteps.Tell(story, trust);
});

// It prints, shortened:
//
// 2 proof: the job says who it is; the authorization server believes its signature
//     … says: I am system:serviceaccount:jobs:orders-nightly, in pod orders-nightly-1
//     of the job, attested: run 5a5a0000-0000-4000-8000-100000000001 (claim kubernetes.io/pod/uid of Kubernetes service account)
//     of the job, only asserted: pipeline orders-nightly (code), dataset orders (code), purpose load (code)
//     exchanged for BearerToken(801bdea5953a4b7e, ends …)
// 5 refresh: the credential is replaced while reading goes on
//     2237 reads, none failed; BearerToken(40a67be674c9f87b, ends …) came in the background
// 7 end: the job ends, and its credentials with it
//     databricks 2dab1b202875e5b6: cannot be revoked, dies at …
//     warehouse 801bdea5953a4b7e: revoked
//     warehouse 40a67be674c9f87b: revoked
//     the warehouse says to the revoked one 401, to the Databricks one 200: it dies by itself at …
// 8 policy: a document that people review decides, and names the rule
//     permitted by rule 'orders-report' of revision 1: asked for dataset:customers dataset:orders, left dataset:orders
// 9 narrow: another data set is refused by the warehouse itself: the raw token, sent past this library
//     GET orders: 200
//     GET customers: 403 Bearer realm="warehouse", error="insufficient_scope", …
// 10 edit: the policy file is edited while the job runs: what it granted ends
//     GET orders with the raw token from before: 401
// 11 kill: another run is killed (SIGKILL) with two credentials in hand; the next start finds its journal and gives them back
//     Vault's ledger after the kill: auth/jwt/login 503f2645408ebbc8 alive, database/creds/readonly ac3c1eccd676398a alive
//     database ac3c1eccd676398a: revoked
//     vault 503f2645408ebbc8: revoked
//     Vault's ledger after the next start: auth/jwt/login 503f2645408ebbc8 revoked, database/creds/readonly ac3c1eccd676398a revoked
// 12 audit: all of the first job is in a chain of lines that an auditor verifies and reads
//     INTACT: 1 chain, 15 events, 0 faults
//       +00:00:00.423 warehouse issued: 2ae110b79a9a687e, scopes dataset:orders, unusable from …, dies at …
//       +00:00:03.237 warehouse revoked: 2ae110b79a9a687e: the job ended (completed)
// 13 tamper: in a copy, one letter of one line is another one; in another copy, a line is gone
//     ….audit.jsonl:5 was changed: its hash is not that of its bytes
//     ….audit.jsonl:5 has the number 6, where 5 has to stand, which is missing
