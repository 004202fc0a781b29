namespace Nhi.TokenExchange;

/// <summary>Gets the proofs of one target: of its identity or its hop, and of who acts for it.</summary>
internal sealed class TargetProofs(JobSession session, TargetRuntime target)
{
    private readonly TargetPlan _plan = target.Plan;

    /// <summary>Gets a proof that was looked at, and compared with the job.</summary>
    /// <param name="refused">What the issuer refused: another is wanted. Null: any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="onlyHeld">Whether a hop gives no more than what it holds.</param>
    public async Task<AttestedProof> GetAsync(AttestedProof? refused, CancellationToken cancellationToken, bool onlyHeld = false)
    {
        AttestedProof proof = _plan.Through is { } hop
            ? AttestedProof.OfHop(session.Runtime(hop), (BearerToken)await session.Runtime(hop).GetForNextHopAsync(onlyHeld, cancellationToken).ConfigureAwait(false))
            : await AskAsync(_plan.Identity!, refused?.Token.Fingerprint, cancellationToken).ConfigureAwait(false);
        if (_plan.Actor is not null)
            proof = proof with { Actor = await AskAsync(_plan.Actor, refused?.Actor?.Token.Fingerprint, cancellationToken).ConfigureAwait(false) };
        return proof with { Origin = target.OriginOf(JobAttestation.Of(proof, session.Context, _plan.AttestedFacts, _plan.AttestingIssuer), proof) };
    }

    private async Task<AttestedProof> AskAsync(IdentityPlan identity, string? refusedFingerprint, CancellationToken cancellationToken)
    {
        var asked = new SubjectTokenRequest
        {
            Audience = _plan.Exchanger.SubjectAudience,
            Job = session.Context,
            MustBeNew = refusedFingerprint is not null,
            RefusedFingerprint = refusedFingerprint,
            Backchannel = session.Backchannel,
            Time = session.Plan.Time,
        };
        SubjectToken token;
        try
        {
            // A source that ignores its cancellation is left behind; what it gives later is dropped.
            token = await identity.Source.GetSubjectTokenAsync(asked, cancellationToken).OrLeftBehindAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"The source of identity '{identity.Name}' gave null.");
        }
        catch (Exception exception) when (FlightErrors.IsForeign(exception, cancellationToken))
        {
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, $"The source of identity '{identity.Name}' failed with {exception.GetType().Name}.", ForeignException.Of(exception))
            {
                IsTransient = exception is OperationCanceledException or TimeoutException,
            };
        }
        return ProofCheck.Check(token, _plan.Exchanger.SubjectAudience, identity.ActsFor, session.Clock.Now);
    }
}
