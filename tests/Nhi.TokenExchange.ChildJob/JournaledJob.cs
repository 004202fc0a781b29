using Nhi.TokenExchange;
using Nhi.TokenExchange.Tests;

/// <summary>A job with a journal that gets seventy-five credentials, says each step, and waits to be killed; and a recoverer of such jobs.</summary>
internal static class JournaledJob
{
    private const int PerTarget = 25;

    private static readonly string[] Scopes = [.. Enumerable.Range(0, PerTarget).Select(i => $"table-{i}")];

    /// <summary>Runs the job.</summary>
    /// <param name="journal">The folder of journals.</param>
    /// <param name="ledger">The issuers' folder.</param>
    public static async Task RunAsync(string journal, string ledger)
    {
        await using JobSession job = await JobSession.StartAsync(b => Compose(b, journal, ledger).Job(new JobContext { Pipeline = "orders-nightly", Run = "4711" }));
        Console.WriteLine("started");
        await Task.WhenAll(Scopes.SelectMany(scope => new[] { "held", "bare", "chosen" }.Select(target => GetAsync(job, target, scope))));
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    }

    /// <summary>Recovers what such jobs left behind.</summary>
    public static async Task RecoverAsync(string journal, string ledger)
    {
        RecoveryReport report = await JobSession.RecoverAsync(b => Compose(b, journal, ledger));
        Console.WriteLine(report);
        Console.WriteLine("recovered");
    }

    private static async Task GetAsync(JobSession job, string target, string scope)
    {
        BearerToken token = await job.Provider<BearerToken>(target).GetAsync(new CredentialRequest { Scopes = ScopeSet.Of(scope) });
        Console.WriteLine($"got {target} {token.Fingerprint}");
    }

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder builder, string journal, string ledger) => builder
        .Identity("job", FileIssuer.Proofs, ActsFor.Workload)
        .Target("held", new FileIssuer(ledger, hasHandles: true, Say), "job", Scopes)
        .Target("bare", new FileIssuer(ledger, hasHandles: false, Say), "job", Scopes)
        .Target("chosen", new FileIssuer(ledger, hasHandles: true, Say, announces: true), "job", Scopes)
        .Journal(journal);

    private static void Say(string step) => Console.WriteLine(step);
}
