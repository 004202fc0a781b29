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
if (args is [var name] && ChildFaults.Find(name) is { } run)
{
    await run();
    return;
}

var issuer = new ChildIssuer();
await using JobSession job = await JobSession.StartAsync(b => b
    .Identity("job", IdentitySources.From((_, _) => new ValueTask<SubjectToken>(new SubjectToken("opaque-proof", SubjectTokenType.AccessToken))), ActsFor.Workload)
    .Target("api", issuer, identity: "job"));
await job.Provider<BearerToken>("api").GetAsync();
Console.WriteLine("ready");

switch (args is [var how] ? how : "")
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
    case "throw":
        throw new InvalidOperationException("the job's own failure");
    default:
        break;   // the normal end: dispose
}

internal sealed class ChildIssuer : TokenExchanger<BearerToken>
{
    public override Uri Issuer { get; } = new("https://issuer.test/");

    public override Audience SubjectAudience { get; } = new("https://issuer.test/");

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
        new(new Issued<BearerToken>(new BearerToken(Guid.NewGuid().ToString("N"), request.Time.GetUtcNow().AddHours(1))));

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        Console.WriteLine("revoked");
        return new(Revocation.Revoked);
    }
}
