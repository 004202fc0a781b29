using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange.Soak;

/// <summary>The virtual jobs of a run: how many, how long each is meant to live, and by which names the issuers know them. The same in both processes.</summary>
internal static class JobPlan
{
    /// <summary>The first job, before all others.</summary>
    public const string WarmUp = "warm-up";

    /// <summary>The jobs of one place, one after the other, with the life each is meant to have. Together at least as long as the run.</summary>
    public static IReadOnlyList<(string Run, TimeSpan Life)> OfPlace(SoakOptions options, int place)
    {
        var random = new Random(HashCode(options.Seed, $"place {place}"));
        double shortest = Math.Min(5, options.Seconds / 6.0);
        double longest = Math.Min(60, Math.Max(options.Seconds / 3.0, Math.Min(options.Seconds, 8)));
        var jobs = new List<(string, TimeSpan)>();
        for (double all = 0; all < options.Seconds + longest;)
        {
            double life = shortest + (random.NextDouble() * (longest - shortest));
            jobs.Add(($"p{place:000}-{jobs.Count:0000}", TimeSpan.FromSeconds(life)));
            all += life;
        }

        return jobs;
    }

    /// <summary>What is meant to end a job: each of the seven as often as the others. The first job has a host, which a process pays for once.</summary>
    public static JobEnd EndOf(SoakOptions options, string run) => run == WarmUp ? JobEnd.HostStopped : (JobEnd)(HashCode(options.Seed, $"end of {run}") % Enum.GetValues<JobEnd>().Length);

    public static IEnumerable<string> AllRuns(SoakOptions options) =>
        Enumerable.Range(0, options.Jobs).SelectMany(place => OfPlace(options, place)).Select(job => job.Run).Prepend(WarmUp);

    /// <summary>The client by which an issuer knows one target of one job: so the key of a credential is one job's.</summary>
    public static string ClientOf(SoakOptions options, string run, SoakTarget target) => target.IsDatabricks || target.Kind == ExchangeKind.Entra
        ? new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Seed}/{run}/{target.Name}"))[..16]).ToString()
        : target.IsVault ? $"{run}-vault"   // the role: what Vault makes belongs to the login it was made with
        : $"{run}-{target.Name}";

    /// <summary>Where Vault makes a job's secrets.</summary>
    public static string VaultPathOf(string run) => $"database/creds/{run}";

    /// <summary>For how long a credential of this target can be handed out.</summary>
    public static TimeSpan UsableLife(SoakOptions options, string run, SoakTarget target) => TimeSpan.FromSeconds(target.IsDatabricks || target.Kind == ExchangeKind.Entra
        ? (options.ShortestLife + options.LongestLife) / 2   // one for all of them: the issuer has no life of its own for each client
        : options.ShortestLife + ((uint)HashCode(options.Seed, $"{run}/{target.Name}") % (uint)(options.LongestLife - options.ShortestLife + 1)));

    private static int HashCode(int seed, string text) => BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{text}"))) & int.MaxValue;
}
