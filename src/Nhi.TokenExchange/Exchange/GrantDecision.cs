namespace Nhi.TokenExchange;

/// <summary>What a policy makes of one request of a target: a grant, or a denial. Step 2 of the pipeline; and once more where the answer shows that the credential is more exposed than was known.</summary>
internal sealed class GrantDecision(JobSession session, TargetRuntime target)
{
    // A flight has 60 seconds, and a policy that denies has to be heard within them though the issuer hangs.
    private static readonly TimeSpan LearnDeadline = TimeSpan.FromSeconds(10);

    // A deny of what was not known for the moment is no deny for good.
    private static readonly TimeSpan LearntAgainAfter = TimeSpan.FromSeconds(10);

    private readonly FlightRecorder _recorder = new(session, target.Plan);
    private readonly TokenExchanger _exchanger = target.Plan.Exchanger;

    /// <summary>Asks the policy, and records what it says.</summary>
    /// <exception cref="AccessDeniedException">It denies.</exception>
    /// <exception cref="TokenExchangeException">It could not decide, or permits more than was asked for.</exception>
    public async Task<Grant> MakeAsync(Flight flight, AttestedProof proof, CredentialRequest? request, CancellationToken cancellationToken)
    {
        bool isUnlearnt = session.Plan.Policy is IExposurePolicy { LooksAtExposure: true } && !await LearnAsync(flight, cancellationToken).ConfigureAwait(false);
        AccessRequest asked = AccessQuestion.Of(target, flight, proof, request);
        string revision;
        AccessDecision decision;
        try
        {
            IAccessPolicy policy = session.Plan.Policy;
            revision = policy.Revision;   // before the decision: a change after this dooms the flight
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
        decision = StaticKeyPermission.Applied(Narrowing.Applied(SenderConstraint.Applied(decision, _exchanger), asked, _exchanger), asked);
        if (!decision.IsPermitted && isUnlearnt)
            decision = decision.Denied(decision.Reason ?? "", Sooner(decision.HoldsUntil, session.Clock.Now + LearntAgainAfter));
        if (!decision.IsPermitted)
            throw await DeniedAsync(flight, proof, asked, decision, revision).ConfigureAwait(false);
        await _recorder.PermittedAsync(flight, proof, asked, decision, revision, cancellationToken).ConfigureAwait(false);
        return Grant.Of(target.Plan, _exchanger, proof, asked, decision, revision, session);
    }

    /// <summary>Whether a grant was made by answers that have become worse since, by a policy that may look at them: its permit says nothing of what was issued.</summary>
    public bool IsOver(Grant grant, AttestedProof proof) =>
        session.Plan.Policy is not IExposurePolicy { LooksAtExposure: false } && target.ExposureBy(proof).IsWorseThan(grant.Exposure);

    /// <summary>Asks again, of a credential that was issued. What is permitted then has to be what it was asked for with: else nothing is handed out, and the next flight asks for what is left.</summary>
    /// <exception cref="AccessDeniedException">It is denied now, or less of it is left.</exception>
    /// <exception cref="TokenExchangeException">As of <see cref="MakeAsync"/>.</exception>
    public async ValueTask MakeAgainAsync(Flight flight, AttestedProof proof, CredentialRequest? request, Grant first, CancellationToken cancellationToken)
    {
        Grant second = await MakeAsync(flight, proof, request, cancellationToken).ConfigureAwait(false);
        if (second.LeavesAsMuchAs(first))
            return;
        AccessRequest asked = AccessQuestion.Of(target, flight, proof, request);
        AccessDecision less = AccessDecision.Deny(second.Rule, "it leaves less now than the credential was asked for with, since that turned out to be more exposed than was known; it is asked for again", session.Clock.Now);
        throw await DeniedAsync(flight, proof, asked, less, second.PolicyRevision).ConfigureAwait(false);
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

    private static DateTimeOffset Sooner(DateTimeOffset? said, DateTimeOffset other) => said < other ? said.Value : other;

    private async Task<AccessDeniedException> DeniedAsync(Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision)
    {
        await _recorder.DeniedAsync(flight, proof, asked, decision, revision).ConfigureAwait(false);
        return new AccessDeniedException(decision.Rule, $"Rule '{decision.Rule}' denies access: {decision.Reason}") { Target = target.Target, IsOfThePolicy = true, HoldsUntil = decision.HoldsUntil, CorrelationId = decision.CorrelationId };
    }
}
