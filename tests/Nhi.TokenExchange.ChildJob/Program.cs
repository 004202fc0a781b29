// A job for tests that need a process of their own: gets a credential, says "ready", works until it is told to end.
using Nhi.TokenExchange;

if (args is ["journal", var journal, var ledger])
{
    await JournaledJob.RunAsync(journal, ledger);
    return;
}
if (args is ["recover", var left, var issuers])
{
    await JournaledJob.RecoverAsync(left, issuers);
    return;
}
if (args is ["audit", var audit, var authority, var proof])
{
    await AuditedJob.RunAsync(audit, authority, proof);
    return;
}
if (args is ["audit", var trail, var emulated, var proven, var disk, var bug])
{
    await AuditedJob.RunLongAsync(trail, emulated, proven, forgets: disk == "forgets", waits: bug != "waits for nothing");
    return;
}
if (args is ["collect", var spool, var server, var assertion, var collector])
{
    await AuditedJob.RunAsync(spool, server, assertion, collector);
    return;
}
if (args is [var name] && ChildFaults.Find(name) is { } run)
{
    await run();
    return;
}

var issuer = new ChildIssuer(args is ["unrevoked" or "exit unrevoked", ..]);
await using JobSession job = await JobSession.StartAsync(b => b
    .Identity("job", IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("opaque-proof", SubjectTokenType.AccessToken))), ActsFor.Workload)
    .Target("api", issuer, identity: "job")
    .Audit(new SaidEnds()).EndOnSignals(args is not [_, "hosted"]).FailOnUnrevoked(args is [_, "fail"]));
await job.Provider<BearerToken>("api").GetAsync();
Console.WriteLine("ready");

switch (args is [var how, ..] ? how : "")
{
    case "wait":
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        break;
    case "wait beside the emulator":
        await using (IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = "ES256"))
        {
            Console.WriteLine("emulating");
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        }
        break;
    case "exit":
        Environment.Exit(3);
        break;
    case "exit unrevoked":
        Environment.Exit(0);
        break;
    case "throw on a thread":
        new Thread(() => throw new InvalidOperationException("a thread's own failure")).Start();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        break;
    case "throw":
        throw new InvalidOperationException("the job's own failure");
    default:
        break;   // the normal end: dispose
}

// Says why each credential was ended.
internal sealed class SaidEnds : IAuditSink
{
    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        if (auditEvent.Kind == AuditEventKind.Revoked)
            Console.WriteLine($"audit: {auditEvent.Reason}");
        return default;
    }
}

internal sealed class ChildIssuer(bool fails) : TokenExchanger<BearerToken>
{
    public override Uri Issuer { get; } = new("https://issuer.test/");

    public override Audience SubjectAudience { get; } = new("https://issuer.test/");

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
        new(new Issued<BearerToken>(new BearerToken(Guid.NewGuid().ToString("N"), request.Time.GetUtcNow().AddHours(1))));

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        if (fails)
            throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        Console.WriteLine("revoked");
        return new(Revocation.Revoked);
    }
}
