namespace Nhi.TokenExchange;

/// <summary>What a policy makes of one request of a target: a grant, or a denial. Step 2 of the pipeline; and once more where an exchange shows that its credential is more exposed than was known.</summary>
internal sealed class GrantDecision(JobSession session, TargetRuntime target)
{
    // A flight has 60 seconds, and a policy that denies has to be heard within them though the issuer hangs.
    private static readonly TimeSpan LearnDeadline = TimeSpan.FromSeconds(10);

    // A deny of what was not known for the moment is no deny for good.
    private static readonly TimeSpan LearntAgainAfter = TimeSpan.FromSeconds(10);

    private readonly FlightRecorder _recorder = new(session, target.Plan);
    private readonly TokenExchanger _exchanger = target.Plan.Exchanger;

    // Somebody else's policy does not say.
    private bool MayLookAtExposure => session.Plan.Policy is not IExposurePolicy { LooksAtExposure: false };

    /// <summary>Asks the policy, and records what it says.</summary>
    /// <exception cref="AccessDeniedException">It denies.</exception>
    /// <exception cref="TokenExchangeException">It could not decide, or permits more than was asked for.</exception>
    public async Task<Grant> MakeAsync(Flight flight, AttestedProof proof, CredentialRequest? request, CancellationToken cancellationToken)
    {
        PolicyAnswer answer = await AskAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        await RecordAsync(flight, proof, answer, cancellationToken).ConfigureAwait(false);
        return GrantOf(proof, answer);
    }

    /// <summary>Whether a grant was made by answers that have become worse since, by a policy that may look at them: its permit says nothing of what was issued.</summary>
    public bool IsOver(Grant grant, AttestedProof proof) =>
        MayLookAtExposure && target.ExposureBy(proof).IsWorseThan(grant.Exposure);

    /// <summary>Asks again, of a credential that was issued. What is permitted then has to be what it was asked for with; what is less is recorded by who asks for that.</summary>
    /// <exception cref="AccessDeniedException">It is denied now.</exception>
    /// <exception cref="TokenExchangeException">Less of it is left (NHI5010), which another exchange has to be made for. Or as of <see cref="MakeAsync"/>.</exception>
    public async ValueTask MakeAgainAsync(Flight flight, AttestedProof proof, CredentialRequest? request, Grant first, CancellationToken cancellationToken)
    {
        PolicyAnswer answer = await AskAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        if (answer.Decision.IsPermitted && !GrantOf(proof, answer).LeavesAsMuchAs(first))
        {
            throw new TokenExchangeException(ErrorCodes.LessIsLeft, ExchangeStage.Authorize, $"The credential turned out to be more exposed than was known, and of that rule '{answer.Decision.Rule}' permits less than it was asked for with. It is not handed out.")
            {
                IsTransient = true, CorrelationId = answer.Decision.CorrelationId,
            };
        }
        await RecordAsync(flight, proof, answer, cancellationToken).ConfigureAwait(false);
    }

    private async Task<PolicyAnswer> AskAsync(Flight flight, AttestedProof proof, CredentialRequest? request, CancellationToken cancellationToken)
    {
        if (!MayLookAtExposure)
            return await DecideAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        bool isUnlearnt = !await LearnAsync(flight, cancellationToken).ConfigureAwait(false);
        PolicyAnswer answer = await DecideAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        if (!answer.Decision.IsPermitted && _exchanger.Learnt is { } learnt && learnt.TryForget())
            answer = await DecideAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        return (isUnlearnt ? LearntAgainAfter : _exchanger.Learnt?.KeptFor) is { } wait ? answer.DeniedForNoLongerThan(session.Clock.Now + wait) : answer;
    }

    private async Task<PolicyAnswer> DecideAsync(Flight flight, AttestedProof proof, CredentialRequest? request, CancellationToken cancellationToken)
    {
        AccessRequest asked = AccessQuestion.Of(target, flight, proof, request);
        string revision;
        AccessDecision decision;
        try
        {
            IAccessPolicy policy = session.Plan.Policy;
            revision = policy.Revision;   // before the decision: a change after this dooms the flight. A document says itself which it is
            decision = await policy.DecideAsync(asked, cancellationToken).OrLeftBehindAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidOperationException("The policy gave null.");
        }
        catch (Exception exception) when (FlightErrors.IsForeign(exception, cancellationToken))
        {
            throw new TokenExchangeException(ErrorCodes.PolicyUnavailable, ExchangeStage.Authorize, $"The policy could not decide ({exception.GetType().Name}); nothing is granted.", ForeignException.Of(exception))
            {
                IsTransient = true,
            };
        }
        AccessDecision left = StaticKeyPermission.Applied(Narrowing.Applied(SenderConstraint.Applied(decision, asked, _exchanger), asked, _exchanger), asked);
        if (left != decision)
            decision.Forget?.Invoke();   // a permit that comes to a deny is asked for again, not remembered
        return new PolicyAnswer(asked, left, decision.Revision ?? revision);
    }

    private async ValueTask RecordAsync(Flight flight, AttestedProof proof, PolicyAnswer answer, CancellationToken cancellationToken)
    {
        (AccessRequest asked, AccessDecision decision, string revision) = answer;
        if (decision.IsPermitted)
        {
            await _recorder.PermittedAsync(flight, proof, asked, decision, revision, cancellationToken).ConfigureAwait(false);
            return;
        }
        await _recorder.DeniedAsync(flight, proof, asked, decision, revision).ConfigureAwait(false);
        throw new AccessDeniedException(decision.Rule, $"Rule '{decision.Rule}' denies access: {decision.Reason}") { Target = target.Target, IsOfThePolicy = true, HoldsUntil = decision.HoldsUntil, CorrelationId = decision.CorrelationId };
    }

    private Grant GrantOf(AttestedProof proof, PolicyAnswer answer)
    {
        try
        {
            return Grant.Of(target.Plan, _exchanger, proof, answer.Asked, answer.Decision, answer.Revision, session);
        }
        catch (TokenExchangeException)
        {
            answer.Decision.Forget?.Invoke();   // one that nothing can be granted by is asked for again, too
            throw;
        }
    }

    // What the answers depend on may not be to be had; then they are not known, which counts as yes, and the decision is made all the same.
    private async Task<bool> LearnAsync(Flight flight, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(LearnDeadline, session.Plan.Time);
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _exchanger.LearnAsync(session.Backchannel, session.Plan.Time, bounded.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            session.Plan.Logger.ExposureNotLearnt(target.Target, (exception as TokenExchangeException)?.Code ?? exception.GetType().Name, session.FlightId(flight.Number));
            return false;
        }
    }

    /// <param name="Asked">The question.</param>
    /// <param name="Decision">What the policy says, and what that comes to.</param>
    /// <param name="Revision">The rules that were in force.</param>
    private sealed record PolicyAnswer(AccessRequest Asked, AccessDecision Decision, string Revision)
    {
        /// <summary>The same; a deny is asked again at that instant, if it does not end sooner.</summary>
        public PolicyAnswer DeniedForNoLongerThan(DateTimeOffset end) => Decision.IsPermitted || Decision.HoldsUntil < end ? this : this with { Decision = Decision.Denied(Decision.Reason, end) };
    }
}
