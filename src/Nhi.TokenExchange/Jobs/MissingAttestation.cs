namespace Nhi.TokenExchange;

/// <summary>A fact that has to be attested and is not: says why, and what to do.</summary>
/// <param name="proof">The proof that does not attest it.</param>
/// <param name="fact">The fact.</param>
/// <param name="names">The claims by which the platform attests it; none if it does not.</param>
/// <param name="expected">What the job is declared to be.</param>
internal sealed class MissingAttestation(AttestedProof proof, JobFacts fact, IReadOnlyList<string> names, string? expected)
{
    // To be copied into the settings.
    private const int LongestIssuer = 300;

    /// <summary>The error to throw where a target goes through another, and the proof that this was got with does not attest all.</summary>
    /// <param name="hop">The credential of that other target, as a proof.</param>
    /// <param name="facts">What is missing.</param>
    public static IdentityUnavailableException OfHop(AttestedProof hop, JobFacts facts) =>
        new(ErrorCodes.FactNotAttested, $"The target requires the job's {facts} to be attested; the proof that the credential of {hop.Subject} was got with does not attest it.")
        {
            Hint = "Set AttestedFacts at the target that starts from an identity, too: its error says what the proof lacks.",
        };

    /// <summary>The error to throw where a variable of the runtime and the proof of the same platform name two jobs.</summary>
    /// <param name="proof">The proof, which its issuer is believed about.</param>
    /// <param name="fact">What they differ in.</param>
    /// <param name="claim">The claim that attests it.</param>
    /// <param name="origin">The variable.</param>
    /// <param name="said">What the variable says.</param>
    public static IdentityUnavailableException OfAnotherJob(AttestedProof proof, JobFacts fact, string claim, FactOrigin origin, string said) =>
        new(ErrorCodes.ProofOfAnotherJob, $"The proof is another job's: its claim '{claim}' ({proof.Platform}) presents '{ExceptionText.Clean(proof.Claims[claim])}', and {origin.Short} says that this job's {fact} is '{ExceptionText.Clean(said)}'. Nothing was sent.")
        {
            Hint = $"Let the identity's source ask this very job's platform; a proof in a file or a variable may have been left behind by another job, or {origin.Short} changed within this one.",
        };

    /// <summary>The error to throw.</summary>
    /// <param name="isBelieved">Whether the issuer that the proof names is believed about the job.</param>
    /// <param name="attestingIssuer">The issuer that the target's settings name.</param>
    public IdentityUnavailableException Because(bool isBelieved, string? attestingIssuer)
    {
        (string what, string hint) = proof.Platform is null
            ? ("the proof is of no platform whose claims are known, so it attests nothing of the job", "Let the job prove itself by its platform's own identity token, or take the fact out of AttestedFacts.")
            : names.Count == 0
                ? ($"proofs of {proof.Platform} attest no such thing", $"Take {fact} out of AttestedFacts, or run the job where it is attested: {string.Join(", ", FactClaims.PlatformsThatAttest(fact))}.")
                : isBelieved ? OfClaims() : OfIssuer(attestingIssuer);
        return new IdentityUnavailableException(ErrorCodes.FactNotAttested, $"The target requires the job's {fact} to be attested; {what}.") { Hint = hint };
    }

    private (string What, string Hint) OfIssuer(string? attestingIssuer)
    {
        string named = ExceptionText.Clean(proof.Issuer, LongestIssuer);
        return attestingIssuer is null
            ? ($"the proof ({proof.Platform}) names issuer '{named}', which is no public one of that platform, and anybody may host it",
                HttpsAddress.TryRead(proof.Issuer, originOnly: false, out _, out _) is not null && named == proof.Issuer && !named.Contains('"', StringComparison.Ordinal)
                    ? $"If that issuer is yours, say so at the target: \"AttestingIssuer\": \"{named}\"."
                    : "An issuer that is believed about the job has an https address without query and fragment; this one's can't be written as AttestingIssuer.")
            : ($"the proof ({proof.Platform}) names issuer '{named}', expected is '{ExceptionText.Clean(attestingIssuer, LongestIssuer)}' as the target's AttestingIssuer says",
                "If the proof comes from where it should, correct AttestingIssuer; it is compared character by character.");
    }

    private (string What, string Hint) OfClaims() => names.FirstOrDefault(proof.Claims.ContainsKey) is not { } name
        ? ($"the proof ({proof.Platform}) has no claim {string.Join(" or ", names.Select(listed => $"'{listed}'"))}",
            fact == JobFacts.Environment ? "Run the job in an environment of its platform, so that the proof names it." : "Let the platform put the claim into its proofs.")
        : ($"claim '{name}' of the proof ({proof.Platform}) presents '{ExceptionText.Clean(proof.Claims[name])}', expected is '{ExceptionText.Clean(expected)}' as the job is declared",
            $"Declare the job's {fact} as its platform says it, or leave it out: then the proof's is taken.");
}
