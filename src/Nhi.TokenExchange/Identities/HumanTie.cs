namespace Nhi.TokenExchange;

/// <summary>Whether what a target is given hangs on a person's login: of its proof, where there is one, or else of how its identities are declared.</summary>
internal static class HumanTie
{
    private static readonly ExposureAnswer s_aPersons = ExposureAnswer.Yes("the proof is a person's, let through for development");
    private static readonly ExposureAnswer s_asserted = ExposureAnswer.No("the configuration vouches that the proof is a workload's, which it does not show by itself");
    private static readonly ExposureAnswer s_attested = ExposureAnswer.No("the platform attests that the proof is a workload's");

    /// <param name="target">The target.</param>
    /// <param name="proof">The proof at hand; null before there is one.</param>
    public static ExposureAnswer Of(TargetRuntime target, AttestedProof? proof)
    {
        // Who reads a key says nothing of whose account it opens.
        if (target.Plan.Exchanger.StaticKey is not null)
            return ExposureAnswer.Yes("it is not known whose account a static key belongs to");
        if ((proof?.Actor is { } acting ? OfProof(acting) : OfActor(target.Plan)) is { IsYes: true } actor)
            return actor;
        TargetPlan first = target.Plan;
        while (first.Through is { } hop)
        {
            first = target.Session.Runtime(hop).Plan;
            if (OfActor(first) is { IsYes: true } earlier)
                return earlier;
        }
        // Where a target goes through another, the proof at hand is that one's credential, and says nothing of who got it.
        return proof is not null && target.Plan.Through is null ? OfProof(proof) : OfIdentity(first.Identity);
    }

    private static ExposureAnswer? OfActor(TargetPlan plan) => plan.Actor is { } declared ? OfIdentity(declared) : null;

    private static ExposureAnswer OfProof(AttestedProof proof) =>
        proof.IsAPersons ? s_aPersons
        : proof.WorkloadIsAsserted ? s_asserted
        : proof.Platform is { } platform ? ExposureAnswer.No($"the proof is a workload's, of {platform}") : s_attested;

    private static ExposureAnswer OfIdentity(IdentityPlan? identity) => identity?.ActsFor switch
    {
        null => ExposureAnswer.Yes("it is not known: no identity is declared for it"),
        ActsFor.PersonInDevelopment => ExposureAnswer.Yes($"the identity '{identity!.Name}' may be a person's: it is declared with ActsFor.PersonInDevelopment"),
        ActsFor.Workload => ExposureAnswer.No($"the configuration vouches that the identity '{identity!.Name}' is a workload's"),
        _ => ExposureAnswer.No($"a proof of the identity '{identity!.Name}' that does not show that it is a workload's is refused"),
    };
}
