using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>The job as configuration and proof say it together.</summary>
/// <param name="Job">The job: a fact that the configuration leaves out is the proof's, where the proof attests it.</param>
/// <param name="Attested">The facts that the proof attests and that the configuration does not contradict.</param>
internal sealed record JobAttestation(JobContext Job, JobFacts Attested)
{
    private static readonly (JobFacts Fact, Func<JobContext, string?> Read)[] Facts =
    [
        (JobFacts.Pipeline, job => job.Pipeline),
        (JobFacts.Run, job => job.Run),
        (JobFacts.Task, job => job.Task),
        (JobFacts.Environment, job => job.Environment),
    ];

    /// <summary>Compares what the configuration says about the job with what its proof says.</summary>
    /// <param name="platform">The platform that made the proof; null if none is known to, so that its claims attest nothing.</param>
    /// <param name="claims">The proof's claims.</param>
    /// <param name="declared">What the configuration says.</param>
    /// <param name="required">What must be attested.</param>
    /// <exception cref="IdentityUnavailableException">A required fact is not attested, or the proof says otherwise.</exception>
    public static JobAttestation Of(string? platform, IReadOnlyDictionary<string, string> claims, JobContext declared, JobFacts required)
    {
        var attested = JobFacts.None;
        var said = new Dictionary<JobFacts, string>();
        foreach ((JobFacts fact, Func<JobContext, string?> read) in Facts)
        {
            IReadOnlyList<string> names = platform is null ? [] : FactClaims.Of(platform, fact);
            string[] presented = [.. names.Where(claims.ContainsKey).Select(name => claims[name]).Where(value => value.Length > 0)];
            string? expected = read(declared);
            if (presented.Length > 0 && (expected is null || presented.Contains(expected, StringComparer.Ordinal)))
            {
                attested |= fact;
                said[fact] = expected ?? presented[0];
            }
            else if (required.HasFlag(fact))
            {
                throw NotAttested(platform, fact, names, claims, expected);
            }
        }
        return new JobAttestation(attested == JobFacts.None ? declared : Merge(said, declared), attested);
    }

    private static JobContext Merge(Dictionary<JobFacts, string> said, JobContext declared) => new JobContext
    {
        Pipeline = said.GetValueOrDefault(JobFacts.Pipeline), Run = said.GetValueOrDefault(JobFacts.Run),
        Task = said.GetValueOrDefault(JobFacts.Task), Environment = said.GetValueOrDefault(JobFacts.Environment),
    }.Over(declared);

    private static IdentityUnavailableException NotAttested(string? platform, JobFacts fact, IReadOnlyList<string> names, IReadOnlyDictionary<string, string> claims, string? expected)
    {
        (string what, string hint) = platform is null
            ? ("the proof is of no platform whose claims are known, so it attests nothing of the job", "Let the job prove itself by its platform's own identity token, or take the fact out of AttestedFacts.")
            : names.Count == 0
                ? ($"proofs of {platform} attest no such thing", $"Take {fact} out of AttestedFacts, or run the job where it is attested: {string.Join(", ", FactClaims.PlatformsThatAttest(fact))}.")
                : names.FirstOrDefault(claims.ContainsKey) is not { } name
                    ? ($"the proof ({platform}) has no claim {Listed(names)}", fact == JobFacts.Environment ? "Run the job in an environment of its platform, so that the proof names it." : "Let the platform put the claim into its proofs.")
                    : ($"claim '{name}' of the proof ({platform}) presents '{ExceptionText.Clean(claims[name])}', expected is '{ExceptionText.Clean(expected)}' as the job is declared",
                        $"Declare the job's {fact} as its platform says it, or leave it out: then the proof's is taken.");
        return new IdentityUnavailableException(ErrorCodes.FactNotAttested, string.Create(CultureInfo.InvariantCulture, $"The target requires the job's {fact} to be attested; {what}.")) { Hint = hint };
    }

    private static string Listed(IReadOnlyList<string> names) => string.Join(" or ", names.Select(name => $"'{name}'"));
}
