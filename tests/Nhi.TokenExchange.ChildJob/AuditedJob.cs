using System.Globalization;
using Nhi.TokenExchange;

/// <summary>A job whose audit is a folder of files, or goes to a collector by way of a spool: gets credentials of twenty-five targets again and again, says each that it was handed, and waits to be killed.</summary>
internal static class AuditedJob
{
    private const int Rounds = 4;
    private const int LongRounds = 12;

    // Four facts of that length make an event of five kilobytes, so that a round has a file full.
    private const int LongFact = 1000;

    /// <summary>The names of its targets; each asks for a scope of its own, <c>dataset:</c> and the name.</summary>
    public static IReadOnlyList<string> Targets { get; } = [.. Enumerable.Range(0, 25).Select(i => string.Create(CultureInfo.InvariantCulture, $"t{i}"))];

    /// <summary>Records in a folder.</summary>
    /// <param name="audit">The folder.</param>
    /// <param name="issuer">The authorization server.</param>
    /// <param name="proof">The file of the proof.</param>
    public static Task RunAsync(string audit, string issuer, string proof) => RunAsync(issuer, proof, b => b.AuditFolder(audit), NewJob(), Rounds);

    /// <summary>Sends to a collector.</summary>
    /// <param name="spool">The folder of the spool.</param>
    /// <param name="issuer">The authorization server.</param>
    /// <param name="proof">The file of the proof.</param>
    /// <param name="collector">What it is sent to.</param>
    public static Task RunAsync(string spool, string issuer, string proof, string collector) => RunAsync(issuer, proof, b => b.AuditCollector(new Uri(collector), spool), NewJob(), Rounds);

    /// <summary>Records in a folder, in events so long that one file after the other is full.</summary>
    /// <param name="audit">The folder.</param>
    /// <param name="issuer">The authorization server.</param>
    /// <param name="proof">The file of the proof.</param>
    /// <param name="forgets">Whether the disk loses what was not flushed.</param>
    /// <param name="waits">False plants a bug: nothing waits for the record.</param>
    public static Task RunLongAsync(string audit, string issuer, string proof, bool forgets, bool waits)
    {
        string fact = new('x', LongFact);
        return RunAsync(
            issuer,
            proof,
            b =>
            {
                b.AuditFolder(audit, o => (o.PartBytes, o.IsRequired) = (1 << 20, waits));
                if (forgets)
                    b.AuditDisk(new ForgetfulDisk());
            },
            NewJob(fact),
            LongRounds);
    }

    private static async Task RunAsync(string issuer, string proof, Action<TokenExchangeBuilder> audit, JobContext context, int rounds)
    {
        await using JobSession job = await JobSession.StartAsync(b =>
        {
            b.Job(context).Identity("job", IdentitySources.OidcFile(proof), ActsFor.Workload);
            audit(b);
            foreach (string target in Targets)
                b.Target(target, Nhi.TokenExchange.Targets.Rfc8693(new Uri(issuer), o => o.Client.Id = "orders"), "job", $"dataset:{target}");
        });
        Console.WriteLine("started");
        await Task.WhenAll(Targets.Select(target => GetAsync(job, target, rounds)));
        Console.WriteLine("done");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
    }

    private static JobContext NewJob(string? fact = null) => new() { Pipeline = "orders-nightly", Run = "4711", Task = fact, Dataset = fact, Purpose = fact, Environment = fact };

    private static async Task GetAsync(JobSession job, string target, int rounds)
    {
        CredentialProvider<BearerToken> provider = job.Provider<BearerToken>(target);
        for (int round = 0; round < rounds; round++)
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
