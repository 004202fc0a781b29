namespace Nhi.TokenExchange;

/// <summary>The job as configuration, runtime and proof say it together.</summary>
/// <param name="Job">The job: a fact that the job does not say of itself is the proof's, where the proof attests it.</param>
/// <param name="Attested">The facts that the proof attests and that the job does not say otherwise.</param>
/// <param name="Difference">Where the proof says otherwise than code or configuration, in words; null if nowhere.</param>
/// <remarks>
/// A difference from what code or configuration say is not refused, it is logged. A job may have names of its own, and that is the rule: "orders-nightly" where GitHub says "acme/orders/.github/workflows/nightly.yml@refs/heads/main",
/// a scheduler's run where Kubernetes knows the pod's, "production" where the platform's environment is "prod". What is declared is then told as declared, never as attested. Where the name has to be the
/// platform's, <see cref="TargetOptions.AttestedFacts"/> says so, and the difference is refused before anything is sent.
/// A difference from a variable of the runtime is another thing. Where variable and claim are the same platform's names of the same thing, the proof is another job's, and is refused. Where they are not, what is attested is
/// worth more than what is asserted: the proof's is taken.
/// </remarks>
internal sealed record JobAttestation(JobContext Job, JobFacts Attested, string? Difference = null)
{
    private static readonly JobFacts[] Facts = [JobFacts.Pipeline, JobFacts.Run, JobFacts.Task, JobFacts.Environment];

    /// <summary>Compares what is said about the job with what its proof says.</summary>
    /// <param name="proof">The proof. Its claims attest nothing if no platform is known to make such proofs, or if it names an issuer that is not to be believed about the job.</param>
    /// <param name="declared">What code, configuration and runtime say.</param>
    /// <param name="required">What must be attested.</param>
    /// <param name="attestingIssuer">The one issuer that is believed; null: the platform's public ones.</param>
    /// <returns>Of a proof that is a credential of ours, what that was got with: it is this job's own, and whoever issued it took the proof.</returns>
    /// <exception cref="IdentityUnavailableException">A required fact is not attested, or the proof says otherwise; or the proof is another job's.</exception>
    public static JobAttestation Of(AttestedProof proof, JobContext declared, JobFacts required, string? attestingIssuer)
    {
        if (proof.Inherited is { } inherited)
            return (required & ~inherited.Attested) == JobFacts.None ? inherited : throw MissingAttestation.OfHop(proof, required & ~inherited.Attested);
        bool isBelieved = proof.Platform is not null && (attestingIssuer is null ? PublicIssuers.Has(proof.Platform, proof.Issuer) : proof.Issuer == attestingIssuer);
        var attested = JobFacts.None;
        Dictionary<JobFacts, (string Value, FactOrigin Origin)>? said = null;
        List<string>? differences = null;
        foreach (JobFacts fact in Facts)
        {
            IReadOnlyList<string> names = proof.Platform is null ? [] : FactClaims.Of(proof.Platform, fact);
            string[] presented = isBelieved ? Presented(proof, names) : [];
            string? expected = declared.ValueOf(fact);
            FactOrigin origin = declared.OriginOf(fact);
            if (Says(proof, presented, expected))
            {
                attested |= fact;
            }
            else if (presented.Length > 0 && expected is not null && origin.MustAgreeWith(proof.Platform))
            {
                throw MissingAttestation.OfAnotherJob(proof, fact, presented[0], origin, expected);
            }
            else if (presented.Length > 0 && (expected is null || origin.Runtime is not null))
            {
                attested |= fact;
                (said ??= [])[fact] = (proof.Claims[presented[0]], FactOrigin.OfClaim(proof.Platform!, presented[0]));
            }
            else if (required.HasFlag(fact))
            {
                throw new MissingAttestation(proof, fact, names, expected).Because(isBelieved, attestingIssuer);
            }
            else if (presented.Length > 0)
            {
                (differences ??= []).Add($"{fact} is '{ExceptionText.Clean(proof.Claims[presented[0]])}' there and '{ExceptionText.Clean(expected)}' here");
            }
        }
        return new JobAttestation(said is null ? declared : JobContext.Of(said).Over(declared), attested, differences is null ? null : string.Join("; ", differences));
    }

    private static string[] Presented(AttestedProof proof, IReadOnlyList<string> names) => [.. names.Where(name => proof.Claims.TryGetValue(name, out string? value) && value.Length > 0)];

    private static bool Says(AttestedProof proof, string[] presented, string? expected) => presented.Length > 0 && presented.Any(name => proof.Claims[name] == expected);

    /// <summary>Whether two comparisons of one session came to the same.</summary>
    public bool SaysTheSameAs(JobAttestation other) =>
        ReferenceEquals(this, other) || (Attested == other.Attested && Difference == other.Difference && Facts.All(fact => Job.ValueOf(fact) == other.Job.ValueOf(fact)));
}
