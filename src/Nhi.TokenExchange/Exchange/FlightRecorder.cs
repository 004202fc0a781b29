namespace Nhi.TokenExchange;

/// <summary>Writes the audit events of the flights of one target. What can't be recorded fails the flight, but for the record of what ends it anyway.</summary>
internal sealed class FlightRecorder(JobSession session, TargetPlan plan)
{
    public ValueTask AttestedAsync(Flight flight, AttestedProof proof, CancellationToken cancellationToken) =>
        session.Audit.RecordAsync(Event(AuditEventKind.Attested, flight, proof), cancellationToken);

    /// <summary>The log is warned of what is permitted by observing alone, also where other sinks record.</summary>
    public async ValueTask PermittedAsync(Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision, CancellationToken cancellationToken)
    {
        AuditEvent permitted = Decision(AuditEventKind.Permitted, flight, proof, asked, decision, revision);
        await session.Audit.RecordAsync(permitted, cancellationToken).ConfigureAwait(false);
        if (decision.IsObserved && !session.Plan.Audit.IsInLog)
            await session.Plan.Log.SayAsync(log => LoggerAuditSink.SayObserved(log, permitted)).ConfigureAwait(false);
    }

    /// <summary>A denial stands whether or not it can be recorded.</summary>
    public Task DeniedAsync(Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision) =>
        session.Audit.TryRecordAsync(() => Decision(AuditEventKind.Denied, flight, proof, asked, decision, revision));

    // 3 record: the intent, before a credential exists
    public async ValueTask ExchangingAsync(Flight flight, AttestedProof proof, Grant grant, CancellationToken cancellationToken)
    {
        await session.Audit.RecordAsync(Event(AuditEventKind.Exchanging, flight, proof, grant.Asked, revision: grant.PolicyRevision, tenant: grant.Tenant, grant: grant), cancellationToken).ConfigureAwait(false);
        Landed(flight);   // of the exchange before, if this is a second one
        if (session.Journal is { } journal)
            flight.Entry = await journal.ExchangingAsync(plan, flight.Number, grant.Origin.Attestation, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the handle of a credential into the journal that does not exist yet.</summary>
    public async ValueTask AnnounceAsync(Flight flight, Grant grant, string handle, CancellationToken cancellationToken)
    {
        if (flight.Entry is { } entry)
            flight.Entry = await session.Journal!.AnnounceAsync(entry, handle, grant.MaxLifetime, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a credential into the journal, before it is looked at: from then on a crash does not lose it.</summary>
    public Task JournalAsync(Flight flight, Credential credential, CancellationToken cancellationToken)
    {
        if (flight.Entry is not { } entry)
            return Task.CompletedTask;
        flight.Entry = null;
        return session.Journal!.IssuedAsync(entry, credential, cancellationToken);
    }

    /// <summary>As <see cref="JournalAsync"/>, of a credential that is ended at once, whether or not it can be written down.</summary>
    public async Task TryJournalAsync(Flight flight, Credential credential)
    {
        try
        {
            await JournalAsync(flight, credential, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TokenExchangeException)
        {
            // The journal has told the log.
        }
    }

    /// <summary>Takes the handle that an exchanger had chosen, where its failure does not say that nothing was made.</summary>
    /// <returns>The journal's entry, which is the caller's to end; null: nothing is to be done.</returns>
    public static JournalEntry? TakeAnnounced(Flight flight, Exception failed)
    {
        if (failed is TokenExchangeException || flight.Entry is not { Handle: not null } announced)
            return null;
        flight.Entry = null;
        return announced;
    }

    /// <summary>Nothing comes of the flight's exchange any more.</summary>
    public void Landed(Flight flight)
    {
        if (flight.Entry is not { } entry)
            return;
        flight.Entry = null;
        session.Journal!.NothingCame(entry);
    }

    // 6 record: the outcome, before anybody gets it
    public ValueTask IssuedAsync<T>(Flight flight, AttestedProof proof, Grant grant, Issued<T> issued, CancellationToken cancellationToken)
        where T : Credential =>
        session.Audit.RecordAsync(
            Event(
                issued.IsRenewal ? AuditEventKind.Renewed : flight.IsRefresh ? AuditEventKind.Refreshed : AuditEventKind.Issued, flight, proof, issued.GrantedScopes is { } granted ? grant.Asked with { Scopes = grant.Quoted(granted) } : grant.Asked, revision: grant.PolicyRevision,
                tenant: grant.Tenant, credential: issued.Credential, correlationId: issued.CorrelationId, grant: grant),
            cancellationToken);

    public Task FailedAsync(Flight flight, TokenExchangeException failure) =>
        session.Audit.TryRecordAsync(() => Event(
            AuditEventKind.Failed, flight, null, code: failure.Code, correlationId: failure.CorrelationId,
            reason: ReasonOf(failure)));

    /// <summary>Warns the log: of a refresh always, of another exchange where the audit's own line of it goes elsewhere. What the job's end cut off has not failed.</summary>
    /// <param name="flight">The flight.</param>
    /// <param name="failure">Why it failed.</param>
    /// <param name="held">What is handed out meanwhile, in words.</param>
    public Task SayFailedAsync(Flight flight, TokenExchangeException failure, string held)
    {
        Guid id = session.FlightId(flight.Number);
        if (flight.IsRefresh)
            return session.Plan.Log.SayAsync(log => log.RefreshFailed(plan.Name, failure.Code, id, held));
        return session.Plan.Audit.IsInLog || session.Leases.IsClosed || failure.Code is ErrorCodes.JobEnded or ErrorCodes.JobRevoked or ErrorCodes.JobTookTooLong
            ? Task.CompletedTask : session.Plan.Log.SayAsync(log => log.ExchangeFailed(plan.Name, failure.Code, id, AuditText.Shown(ReasonOf(failure), AuditText.LongestProse)));
    }

    private static string ReasonOf(TokenExchangeException failure) => failure.IssuerError is { } issuerError ? $"{failure.Detail} [{issuerError}]" : failure.Detail;

    private AuditEvent Decision(AuditEventKind kind, Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision) =>
        Event(
            kind, flight, proof, AskedFor.After(decision, asked), decision.Rule, revision, decision is { IsPermitted: true, IsObserved: false } ? null : decision.Reason, tenant: asked.Tenant, correlationId: decision.CorrelationId,
            isObserved: decision.IsObserved, requested: kind == AuditEventKind.Permitted ? asked : null);

    private AuditEvent Event(
        AuditEventKind kind, Flight flight, AttestedProof? proof, AskedFor? askedFor = null, string? rule = null, string? revision = null, string? reason = null,
        string? code = null, string? tenant = null, Credential? credential = null, string? correlationId = null, bool isObserved = false, Grant? grant = null, AccessRequest? requested = null)
    {
        AuditMoment when = session.Moment;
        Workload? workload = proof?.Workload;
        return new AuditEvent
        {
            Kind = kind,
            At = when.At,
            Elapsed = when.Elapsed,
            SessionId = when.SessionId,
            FlightId = session.FlightId(flight.Number),
            Target = plan.Name,
            Job = proof?.Job?.Job ?? session.Context,
            AttestedFacts = proof?.Job?.Attested ?? JobFacts.None,
            Issuer = plan.Exchanger.Issuer.AbsoluteUri,
            SubjectIssuer = workload?.Issuer,
            Subject = workload?.Subject,
            Through = proof?.Through,
            Audience = proof is null ? null : plan.Exchanger.SubjectAudience.ToString(),
            SubjectFingerprint = proof?.Token.Fingerprint,
            SubjectClaims = session.Plan.Audit.ClaimsOf(proof),
            WorkloadIsAsserted = workload?.IsAsserted ?? false,
            IsAPersons = workload?.IsAPersons ?? false,
            IsPlatformIssued = plan.Exchanger.IsPlatformIssued,
            Exposure = session.Runtime(plan.Name).ExposureBy(proof),
            StaticKey = plan.Exchanger.StaticKey?.As(credential),
            ActorIssuer = proof?.Actor?.Issuer,
            ActorSubject = proof?.Actor?.Subject,
            ActorFingerprint = proof?.Actor?.Token.Fingerprint,
            Tenant = tenant,
            Caller = flight.Caller,
            Scopes = askedFor?.Scopes ?? ScopeSet.Empty,
            AskedScopes = credential is null ? ScopeSet.Empty : grant?.Scopes ?? ScopeSet.Empty,
            RequestedScopes = requested?.Scopes ?? ScopeSet.Empty,
            RequestedResources = requested?.Resources ?? [],
            RequestedAuthorizationDetails = requested?.AuthorizationDetails,
            Resources = askedFor?.Resources ?? [],
            AuthorizationDetails = askedFor?.AuthorizationDetails,
            Rule = rule,
            PolicyRevision = revision ?? session.Plan.PolicyRevision,
            IsObserved = isObserved,
            Fingerprint = credential?.Fingerprint,
            RevocationHandle = credential?.Lease.Handle,
            UnusableFrom = credential?.UnusableFrom,
            DiesAt = credential?.KnownEnd,
            MaxLifetime = grant?.MaxLifetime,
            Code = code,
            Reason = reason,
            CorrelationId = correlationId,
        };
    }
}
