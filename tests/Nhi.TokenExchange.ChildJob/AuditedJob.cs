using System.Globalization;
using Nhi.TokenExchange;

/// <summary>A job whose audit is a folder of files, or goes to a collector by way of a spool: gets credentials of twenty-five targets again and again, says each that it was handed, and waits to be killed.</summary>
internal static class AuditedJob
{
    private const int Rounds = 4;

    /// <summary>The names of its targets; each asks for a scope of its own, <c>dataset:</c> and the name.</summary>
    public static IReadOnlyList<string> Targets { get; } = [.. Enumerable.Range(0, 25).Select(i => string.Create(CultureInfo.InvariantCulture, $"t{i}"))];

    /// <param name="audit">The folder of the audit, or of the spool.</param>
    /// <param name="issuer">The authorization server.</param>
    /// <param name="proof">The file of the proof.</param>
    /// <param name="collector">What it is sent to; null: nothing.</param>
    public static async Task RunAsync(string audit, string issuer, string proof, string? collector = null)
    {
        await using JobSession job = await JobSession.StartAsync(b =>
        {
            b.Job(new JobContext { Pipeline = "orders-nightly", Run = "4711" }).Identity("job", IdentitySources.OidcFile(proof), ActsFor.Workload);
            _ = collector is null ? b.AuditFolder(audit) : b.AuditCollector(new Uri(collector), audit);
            foreach (string target in Targets)
                b.Target(target, Nhi.TokenExchange.Targets.Rfc8693(new Uri(issuer), o => o.Client.Id = "orders"), "job", $"dataset:{target}");
        });
        Console.WriteLine("started");
        await Task.WhenAll(Targets.Select(target => GetAsync(job, target)));
        Console.WriteLine("done");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    }

    private static async Task GetAsync(JobSession job, string target)
    {
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>(target);
        for (int round = 0; round < Rounds; round++)
        {
            try
            {
                BearerToken token = await provider.GetAsync();
                Console.WriteLine($"got {target} {token.Fingerprint}");
                await job.RevokeCredentialAsync(token, "it is used up");
            }
            catch (TokenExchangeException refused)
            {
                Console.WriteLine($"refused {target} {refused.Code}");
            }
        }
    }
}
