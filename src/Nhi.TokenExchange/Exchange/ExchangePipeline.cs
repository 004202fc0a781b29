using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>The one straight way from a miss to a credential. Nobody else knows the order of the steps.</summary>
internal sealed class ExchangePipeline<T>(JobSession session, TargetRuntime<T> target, TokenExchanger<T> exchanger)
    where T : Credential
{
    // One exchange with its retries; a source or an issuer that never answers is given up then.
    private static readonly TimeSpan FlightDeadline = TimeSpan.FromSeconds(60);

    // Of one key there are as many as refreshes within the life of one.
    private const int MostEndedAtOnce = 16;

    private readonly FlightRecorder _recorder = new(session, target.Plan);
    private readonly GrantDecision _decision = new(session, target);
    private readonly ExchangeActivities _stages = target.Activities;

    /// <summary>Runs one flight and ends it in the slot, whatever happens.</summary>
    public async Task FlyAsync(ExpiringSlot<T> slot, Flight flight, CredentialRequest? request, ActivityContext starter)
    {
        flight.Enter();
        flight.Caller = request?.Caller;
        bool jobRuns = session.Leases.TakeOff();
        try
        {
            using TimedActivity activity = _stages.StartFlight(starter);
            using var deadline = new CancellationTokenSource(FlightDeadline, session.Plan.Time);
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, session.Abandoned);
            try
            {
                if (!jobRuns)
                    throw session.JobEnded(target.Target);   // nobody waits for this flight any more: no credential may come of it
                T? held = flight.IsRefresh && flight.Aim != FlightAim.Replace ? slot.State.AliveAt(session.Clock) : null;
                (T credential, long refreshTick) = await IssueAsync(flight, held, request, bounded.Token).ConfigureAwait(false);
                bool landed = slot.TryLand(flight, credential, refreshTick);
                activity.Outcome(!landed ? "discarded" : flight.IsRefresh ? "refreshed" : "issued");
                if (!landed)
                    await session.EndLeaseAsync(credential, session.Leases.IsClosed ? "the job had ended" : "the policy had changed, or what it was to replace was revoked").ConfigureAwait(false);
            }
            catch (TokenExchangeException noMore) when (noMore.SaysNoMore)
            {
                activity.Outcome("kept");
                await _recorder.FailedAsync(flight, noMore).ConfigureAwait(false);
                slot.Fail(flight, noMore);
            }
            catch (Exception exception)   // every failure becomes the flight's result: its waiters get it
            {
                TokenExchangeException failure = FlightErrors.Of(exception, session, target.Target, FlightDeadline, deadline.IsCancellationRequested);
                activity.Failed(failure.Code);
                target.Measurements.Failed(failure);
                Task said = _recorder.SayFailedAsync(flight, failure, WhatIsHeld(slot, failure));
                if (jobRuns)   // else it has begun nothing, and the audit may have ended without waiting for it
                    await _recorder.FailedAsync(flight, failure).ConfigureAwait(false);
                // Looked up before the next flight of the key can take off: what that brings is permitted.
                List<Credential> denied = FlightErrors.IsDenial(failure) ? session.Leases.LiveOf(target, request) : [];
                if (slot.Fail(flight, failure) is { } current && !denied.Contains(current))
                    denied.Add(current);
                await EndDeniedAsync(denied).ConfigureAwait(false);
                await said.ConfigureAwait(false);   // a log that hangs holds up no waiter
            }
            if (exchanger.RenewsHeld)
                RenewalWatch<T>.Begin(session, slot, request);
        }
        finally
        {
            await flight.LeftBehind.ConfigureAwait(false);
            _recorder.Landed(flight);
            session.Leases.TouchDown();
        }
    }

    // What becomes of the credential that was to be replaced, for the log.
    private string WhatIsHeld(ExpiringSlot<T> slot, TokenExchangeException failure) =>
        session.Leases.IsClosed ? "the job ends, and nothing is handed out any more"
        : FlightErrors.IsDenial(failure) ? "the current credential is ended"
        : slot.State.AliveAt(session.Clock) is not null ? "the current credential is served on while it is good"
        : "nothing that is good is held, and callers are told of the failure until an exchange works";

    // A deny ends what is handed out, and what that replaced, which lives at its issuer still.
    private async Task EndDeniedAsync(List<Credential> denied)
    {
        denied.ForEach(target.DropBehind);
        await Parallel.ForEachAsync(denied, new ParallelOptions { MaxDegreeOfParallelism = MostEndedAtOnce }, async (one, _) => await session.EndLeaseAsync(one, "the policy denies it now").ConfigureAwait(false)).ConfigureAwait(false);
    }

    private async Task<(T Credential, long RefreshTick)> IssueAsync(Flight flight, T? held, CredentialRequest? request, CancellationToken cancellationToken)
    {
        using var whileJob = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, session.Over);
        AttestedProof proof = await _stages.RunAsync(ExchangeStage.Attest, () => AttestAsync(flight, null, whileJob.Token)).ConfigureAwait(false);
        try
        {
            return await ExchangeOnceAsync(flight, proof, held, request, whileJob.Token, cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException nothing) when (nothing.IsRenewalForNothing && flight.Aim == FlightAim.Renew)
        {
            throw Renewals.ForNothing(target.Target, nothing);
        }
        catch (TokenExchangeException over) when (over.Code is ErrorCodes.DeadOnArrival or ErrorCodes.ProofRefused && proof.IsHopOver(session.Clock))
        {
            // The hop's credential ended on the way: what was got with it is dead, or it was refused when a try came late. Its successor may do; if there is none, why is what counts.
            proof = await _stages.RunAsync(ExchangeStage.Attest, () => AttestAsync(flight, null, whileJob.Token)).ConfigureAwait(false);
        }
        catch (TokenExchangeException refused) when (refused.Code == ErrorCodes.ProofRefused && proof.MayBeReplacedAfter(refused))
        {
            proof = await _stages.RunAsync(ExchangeStage.Attest, () => AttestAnewAsync(flight, proof, refused, whileJob.Token)).ConfigureAwait(false);
        }
        catch (TokenExchangeException first) when (first.IsRenewalForNothing || first.Code == ErrorCodes.LessIsLeft)
        {
            // Neither was a failure: something new is asked for, with what the policy leaves of it now that its exposure is known.
            proof = await _stages.RunAsync(ExchangeStage.Attest, () => AttestAsync(flight, null, whileJob.Token)).ConfigureAwait(false);
        }
        catch (TokenExchangeException dead) when (dead.IsDeadAtIssuer)
        {
            return await ExchangeAfterDeathAsync(flight, dead, request, whileJob.Token, cancellationToken).ConfigureAwait(false);
        }
        return await ExchangeOnceAsync(flight, proof, null, request, whileJob.Token, cancellationToken).ConfigureAwait(false);
    }

    // Issuers hand out of caches, and machines wake from a freeze: once more. Where that fails for another reason, it is the dead one that is told of.
    private async Task<(T Credential, long RefreshTick)> ExchangeAfterDeathAsync(
        Flight flight, TokenExchangeException dead, CredentialRequest? request, CancellationToken whileJob, CancellationToken cancellationToken)
    {
        try
        {
            AttestedProof proof = await _stages.RunAsync(ExchangeStage.Attest, () => AttestAsync(flight, null, whileJob)).ConfigureAwait(false);
            return await ExchangeOnceAsync(flight, proof, null, request, whileJob, cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException other) when (other is not AccessDeniedException && other.Code != ErrorCodes.DeadOnArrival && other.Stage != ExchangeStage.JobEnded)
        {
            throw dead;
        }
    }

    /// <param name="flight">The flight.</param>
    /// <param name="proof">What step 1 gave.</param>
    /// <param name="held">What is to be replaced, where its life may be lengthened instead; null at a second try.</param>
    /// <param name="request">What the caller wants that differs from the target.</param>
    /// <param name="whileJob">Cancelled when the job ends: nothing new is begun then.</param>
    /// <param name="cancellationToken">Cancelled at the deadline alone: what was sent may have issued a credential, so its answer is waited for.</param>
    private async Task<(T Credential, long RefreshTick)> ExchangeOnceAsync(
        Flight flight, AttestedProof proof, T? held, CredentialRequest? request, CancellationToken whileJob, CancellationToken cancellationToken)
    {
        Grant grant = await _stages.RunAsync(ExchangeStage.Authorize, () => _decision.MakeAsync(flight, proof, request, whileJob)).ConfigureAwait(false);
        await _stages.RunAsync(ExchangeStage.Record, () => _recorder.ExchangingAsync(flight, proof, grant, whileJob)).ConfigureAwait(false);
        if (exchanger.StaticKey is not null)
            held ??= flight.Held as T;   // a key is read alike at each try, and the one that is held is not there twice
        Renewal? renewal = held is null ? null : new Renewal(session, held);
        Issued<T> issued = await _stages.RunAsync(ExchangeStage.Exchange, () => target.Measurements.TimeAsync(() => ExchangeAsync(flight, proof, grant, held, renewal, request, cancellationToken))).ConfigureAwait(false);
        return await VerifyAndRecordAsync(flight, proof, grant, renewal, issued, request, cancellationToken).ConfigureAwait(false);
    }

    // 1 attest
    private async Task<AttestedProof> AttestAsync(Flight flight, AttestedProof? refused, CancellationToken cancellationToken)
    {
        AttestedProof proof = await target.Proofs.GetAsync(refused, cancellationToken, onlyHeld: flight.Aim == FlightAim.Renew).ConfigureAwait(false);
        await _recorder.AttestedAsync(flight, proof, cancellationToken).ConfigureAwait(false);
        return proof;
    }

    // The issuer refused the proof; once, another is tried. If there is no other, what the issuer said stands.
    private async Task<AttestedProof> AttestAnewAsync(Flight flight, AttestedProof proof, TokenExchangeException refused, CancellationToken cancellationToken)
    {
        proof.Reject();
        try
        {
            return await AttestAsync(flight, proof, cancellationToken).ConfigureAwait(false);
        }
        catch (TokenExchangeException none) when (none is IdentityUnavailableException || none.Code == ErrorCodes.CredentialRefused)
        {
            throw refused;
        }
    }

    // 4 exchange; at once registered
    private async Task<Issued<T>> ExchangeAsync(Flight flight, AttestedProof proof, Grant grant, T? held, Renewal? renewal, CredentialRequest? request, CancellationToken cancellationToken)
    {
        var asked = new ExchangeRequest
        {
            Target = target.Target,
            Subject = proof.Token,
            Actor = proof.Actor?.Token,
            Scopes = grant.Scopes,
            Resources = grant.Resources,
            AuthorizationDetails = grant.AuthorizationDetails,
            MaxLifetime = grant.MaxLifetime,
            FlightId = session.FlightId(flight.Number),
            Job = session.Context,
            Tenant = request?.Tenant,
            Claims = request?.Claims,
            Held = held,
            HeldHandle = held?.Lease.Handle,
            Renewal = renewal,
            RenewsOnly = flight.Aim == FlightAim.Renew,
            Backchannel = session.Backchannel,
            Time = grant.Time,
            Announce = (handle, announced) => _recorder.AnnounceAsync(flight, grant, handle, announced),
        };
        // What only waits to be tried again has nothing in the air: the job's end does not wait for it.
        Task<Issued<T>> exchanging = new WatchedTries(session.Over).Begin(() => exchanger.ExchangeAsync(asked, cancellationToken)).AsTask();
        try
        {
            Issued<T> issued = await exchanging.WaitAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The exchanger gave null.");
            Register(flight, grant, renewal, issued, request);
            return issued;
        }
        catch (OperationCanceledException) when (exchanging is { IsCanceled: false, IsFaulted: false })   // it goes on, or has landed this instant
        {
            flight.LeftBehind = EndLateAsync(flight, grant, renewal, request, exchanging);   // still this flight, and counted as one
            throw;
        }
        catch (Exception failed) when (FlightRecorder.TakeAnnounced(flight, failed) is { } announced)
        {
            flight.LeftBehind = session.EndAnnouncedAsync(target, announced);   // its waiters need not wait for that
            throw;
        }
        finally
        {
            renewal?.Settle();
        }
    }

    private void Register(Flight flight, Grant grant, Renewal? renewal, Issued<T> issued, CredentialRequest? request)
    {
        if (!LeaseOwnership.TryClaim(issued.Credential, grant.LeaseFor(issued).From(flight.Number, request)))
        {
            throw new TokenExchangeException(ErrorCodes.CredentialSeenBefore, ExchangeStage.Verify, "The exchanger gave a credential object that was given before.")
            {
                Target = target.Target, Hint = "Make a new credential object for each exchange.",
            };
        }
        session.Leases.Register(issued.Credential);
        if (issued.IsRenewal)
            renewal?.Land(issued.Credential);
        else if (issued.Credential is StaticKey read)
            Renewal.Land(session, renewal, read);
        if (issued.EndIsAssumed)
            session.WatchAssumedEnd(issued.Credential);
        if (grant.PermitEndsAt is { } end && end < issued.Credential.ExpiresAt)
            session.WatchPermitEnd(issued.Credential, end);
    }

    // 5 verify, 6 record; a credential that does not come through is ended
    private async Task<(T Credential, long RefreshTick)> VerifyAndRecordAsync(Flight flight, AttestedProof proof, Grant grant, Renewal? renewal, Issued<T> issued, CredentialRequest? request, CancellationToken cancellationToken)
    {
        try
        {
            if (renewal is not { IsEndedWithHeld: true })   // else what it renewed stands in the journal for it
                await _recorder.JournalAsync(flight, issued.Credential, cancellationToken).ConfigureAwait(false);
            if (session.Leases.IsClosed)
                throw session.JobEnded(target.Target);
            if (issued.IsRenewal && renewal is not { ServesOn: true })
                throw Renewals.Lost(target.Target);
            _stages.Run(ExchangeStage.Verify, () => grant.Verify(issued, session.Clock));
            if (_decision.IsOver(grant, proof))
                await _stages.RunAsync(ExchangeStage.Authorize, () => _decision.MakeAgainAsync(flight, proof, request, grant, cancellationToken)).ConfigureAwait(false);
            await _stages.RunAsync(ExchangeStage.Record, () => _recorder.IssuedAsync(flight, proof, grant, issued, cancellationToken)).ConfigureAwait(false);
            target.Measurements.Issued(flight.IsRefresh);
            return (issued.Credential, grant.RefreshTick(issued));
        }
        catch (Exception exception)   // whatever stopped it, the credential exists: it is ended before anybody hears of the failure
        {
            bool isDenied = FlightErrors.IsDenial(exception);
            if (isDenied)
                renewal?.StopServing();
            if (isDenied || renewal is not { ServesOn: true })
                await session.EndLeaseAsync(issued.Credential, (exception as TokenExchangeException)?.Code ?? exception.GetType().Name).ConfigureAwait(false);
            throw;
        }
    }

    // The exchanger ignored its cancellation and came back when nobody waited any more.
    private async Task EndLateAsync(Flight flight, Grant grant, Renewal? renewal, CredentialRequest? request, Task<Issued<T>> exchanging)
    {
        try
        {
            if (await exchanging.ConfigureAwait(false) is { } issued)
            {
                Register(flight, grant, renewal, issued, request);
                if (renewal is { IsEndedWithHeld: true })
                    return;
                await _recorder.TryJournalAsync(flight, issued.Credential).ConfigureAwait(false);
                if (renewal is not { ServesOn: true })
                    await session.EndLeaseAsync(issued.Credential, "came after the deadline").ConfigureAwait(false);
            }
        }
        catch (Exception exception)   // nothing came: the flight itself was recorded as failed already
        {
            session.Plan.Logger.LateExchangeFailed(target.Target, exception.GetType().Name, session.FlightId(flight.Number));
            if (FlightRecorder.TakeAnnounced(flight, exception) is { } announced)
                await session.EndAnnouncedAsync(target, announced).ConfigureAwait(false);
        }
    }
}
