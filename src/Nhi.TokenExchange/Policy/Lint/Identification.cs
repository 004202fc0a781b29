namespace Nhi.TokenExchange;

/// <summary>Whether a permit says whom it is for, by what a proof says.</summary>
internal static class Identification
{
    // What proofs of many workloads, or of all of an issuer, say alike.
    private static readonly HashSet<string> Shared = new(StringComparer.Ordinal)
    {
        "claims.iss", "claims.aud", "claims.azp", "claims.event_name", "claims.ref", "claims.ref_type", "claims.ref_protected", "claims.environment", "claims.environment_protected", "claims.deployment_tier",
        "claims.runner_environment", "claims.repository_visibility", "claims.pipeline_source", "claims.tid", "claims.idtyp",
    };

    /// <summary>What is found; null if the permit names somebody. One for everybody is told of as such.</summary>
    public static PolicyFinding? FindingOf(PolicyRule permit)
    {
        ValueCondition[] said = [.. permit.Conditions.OfType<ValueCondition>().Where(IsOfTheProof)];
        if (permit.Conditions.All(condition => condition is IssuedCondition) || said.Any(Identifies) || IsAttested(permit))
            return null;
        return said.Length == 0
            ? new PolicyFinding("only-asserted", permit, permit.Place, "rests on what the job says of itself: whatever proof it has is let in", "Add issuer and subject, or let limits.attestedOnly want the facts from the proof.")
            : new PolicyFinding("no-subject", permit, said[0].Place, "takes proofs of everybody who says so, and names nobody", "Add subject, or a claim that one workload has, such as repository_id.");
    }

    private static bool IsOfTheProof(ValueCondition condition) =>
        condition.Name is PolicyAttribute.Subject or PolicyAttribute.SubjectIssuer or "actorSubject" or "actorIssuer" || condition.Name.StartsWith("claims.", StringComparison.Ordinal);

    private static bool Identifies(ValueCondition condition) =>
        condition.Name is not (PolicyAttribute.SubjectIssuer or "actorIssuer") && !Shared.Contains(condition.Name) && condition.Matcher is not Presence;

    // The pipeline, as the platform names it.
    private static bool IsAttested(PolicyRule permit) =>
        permit.Conditions.OfType<AttestedCondition>().Any(attested => attested.Facts.HasFlag(JobFacts.Pipeline)) && permit.Find("job.pipeline") is { Matcher: not Presence };
}
