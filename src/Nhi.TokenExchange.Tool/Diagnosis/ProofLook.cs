namespace Nhi.TokenExchange;

/// <summary>Gets a proof for a target and looks at it as an exchange would, without sending it.</summary>
internal static class ProofLook
{
    /// <summary>Gets one.</summary>
    /// <param name="session">The job.</param>
    /// <param name="target">For whom it is.</param>
    /// <param name="identity">Whose it is.</param>
    /// <param name="taken">Told when the source has given it, before it is looked at.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The proof, and what it says; null if it is opaque.</returns>
    /// <exception cref="TokenExchangeException">There is none, or it is not fit to be sent.</exception>
    public static async Task<(AttestedProof Proof, Jwt? Says)> TakeAsync(JobSession session, TargetRuntime target, IdentityPlan identity, Action<SubjectToken> taken, CancellationToken cancellationToken)
    {
        var asked = new SubjectTokenRequest
        {
            Audience = target.Plan.Exchanger.SubjectAudience, Job = session.Context, Backchannel = session.Backchannel, Time = session.Plan.Time,
        };
        SubjectToken token;
        try
        {
            token = await identity.Source.GetSubjectTokenAsync(asked, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception foreign) when (FlightErrors.IsForeign(foreign, cancellationToken))
        {
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"The source of identity '{identity.Name}' failed with {foreign.GetType().Name}.", ForeignException.Of(foreign));
        }
        taken(token);
        AttestedProof proof = ProofCheck.Check(token, asked.Audience, identity.ActsFor, session.Clock.Now);
        _ = JobAttestation.Of(proof, session.Context, target.Plan.AttestedFacts, target.Plan.AttestingIssuer);
        return (proof, JwtReader.LooksLikeJwt(token.Reveal()) ? JwtReader.Read(token.Reveal()) : null);
    }
}
