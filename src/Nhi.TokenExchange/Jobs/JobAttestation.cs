namespace Nhi.TokenExchange;

/// <summary>The job as configuration and proof say it together.</summary>
/// <param name="Job">The job: a fact that the configuration leaves out is the proof's, where the proof attests it.</param>
/// <param name="Attested">The facts that the proof attests and that the configuration does not contradict.</param>
/// <param name="Difference">Where the proof says otherwise than the configuration, in words; null if nowhere.</param>
/// <remarks>
/// A difference alone is not refused, it is logged. A job may have names of its own, and that is the rule: "orders-nightly" where GitHub says "acme/orders/.github/workflows/nightly.yml@refs/heads/main",
/// a scheduler's run where Kubernetes knows the pod's, "production" where the platform's environment is "prod". What is declared is then told as declared, never as attested. Where the name has to be the
/// platform's, <see cref="TargetOptions.AttestedFacts"/> says so, and the difference is refused before anything is sent.
/// </remarks>
internal sealed record JobAttestation(JobContext Job, JobFacts Attested, string? Difference = null)
{
    private static readonly (JobFacts Fact, Func<JobContext, string?> Read)[] Facts =
    [
        (JobFacts.Pipeline, job => job.Pipeline),
        (JobFacts.Run, job => job.Run),
        (JobFacts.Task, job => job.Task),
        (JobFacts.Environment, job => job.Environment),
    ];

    /// <summary>Compares what the configuration says about the job with what its proof says.</summary>
    /// <param name="proof">The proof. Its claims attest nothing if no platform is known to make such proofs, or if it names an issuer that is not to be believed about the job.</param>
    /// <param name="declared">What the configuration says.</param>
    /// <param name="required">What must be attested.</param>
    /// <param name="attestingIssuer">The one issuer that is believed; null: the platform's public ones.</param>
    /// <returns>Of a proof that is a credential of ours, what that was got with: it is this job's own, and whoever issued it took the proof.</returns>
    /// <exception cref="IdentityUnavailableException">A required fact is not attested, or the proof says otherwise.</exception>
    public static JobAttestation Of(AttestedProof proof, JobContext declared, JobFacts required, string? attestingIssuer)
    {
        if (proof.Inherited is { } inherited)
            return (required & ~inherited.Attested) == JobFacts.None ? inherited : throw MissingAttestation.OfHop(proof, required & ~inherited.Attested);
        bool isBelieved = proof.Platform is not null && (attestingIssuer is null ? PublicIssuers.Has(proof.Platform, proof.Issuer) : proof.Issuer == attestingIssuer);
        var attested = JobFacts.None;
        var said = new Dictionary<JobFacts, string>();
        var differences = new List<string>();
        foreach ((JobFacts fact, Func<JobContext, string?> read) in Facts)
        {
            IReadOnlyList<string> names = proof.Platform is null ? [] : FactClaims.Of(proof.Platform, fact);
            string[] presented = !isBelieved ? [] : [.. names.Where(proof.Claims.ContainsKey).Select(name => proof.Claims[name]).Where(value => value.Length > 0)];
            string? expected = read(declared);
            if (presented.Length > 0 && (expected is null || presented.Contains(expected, StringComparer.Ordinal)))
            {
                attested |= fact;
                said[fact] = expected ?? presented[0];
            }
            else if (required.HasFlag(fact))
            {
                throw new MissingAttestation(proof, fact, names, expected).Because(isBelieved, attestingIssuer);
            }
            else if (presented.Length > 0)
            {
                differences.Add($"{fact} is '{ExceptionText.Clean(presented[0])}' there and '{ExceptionText.Clean(expected)}' here");
            }
        }
        return new JobAttestation(attested == JobFacts.None ? declared : Merge(said, declared), attested, differences.Count == 0 ? null : string.Join("; ", differences));
    }

    /// <summary>Whether two comparisons of one session came to the same.</summary>
    public bool SaysTheSameAs(JobAttestation other) =>
        ReferenceEquals(this, other) || (Attested == other.Attested && Difference == other.Difference && Facts.All(fact => fact.Read(Job) == fact.Read(other.Job)));

    private static JobContext Merge(Dictionary<JobFacts, string> said, JobContext declared) => new JobContext
    {
        Pipeline = said.GetValueOrDefault(JobFacts.Pipeline), Run = said.GetValueOrDefault(JobFacts.Run),
        Task = said.GetValueOrDefault(JobFacts.Task), Environment = said.GetValueOrDefault(JobFacts.Environment),
    }.Over(declared);
}
