namespace Nhi.TokenExchange;

/// <summary>Writes the audit events of the flights of one target. What can't be recorded fails the flight, but for the record of what ends it anyway.</summary>
internal sealed class FlightRecorder(JobSession session, TargetPlan plan)
{
    public ValueTask AttestedAsync(Flight flight, AttestedProof proof, CancellationToken cancellationToken) =>
        session.RecordAsync(Event(AuditEventKind.Attested, flight, proof), cancellationToken);

    public ValueTask PermittedAsync(Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision, CancellationToken cancellationToken) =>
        session.RecordAsync(Decision(AuditEventKind.Permitted, flight, proof, asked, decision, revision), cancellationToken);

    /// <summary>A denial stands whether or not it can be recorded.</summary>
    public Task DeniedAsync(Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision) =>
        session.TryRecordAsync(() => Decision(AuditEventKind.Denied, flight, proof, asked, decision, revision));

    // 3 record: the intent, before a credential exists
    public ValueTask ExchangingAsync(Flight flight, AttestedProof proof, Grant grant, CancellationToken cancellationToken) =>
        session.RecordAsync(Event(AuditEventKind.Exchanging, flight, proof, scopes: grant.Scopes, revision: grant.PolicyRevision, tenant: grant.Tenant), cancellationToken);

    // 6 record: the outcome, before anybody gets it
    public ValueTask IssuedAsync<T>(Flight flight, AttestedProof proof, Grant grant, Issued<T> issued, CancellationToken cancellationToken)
        where T : Credential =>
        session.RecordAsync(
            Event(
                issued.IsRenewal ? AuditEventKind.Renewed : flight.IsRefresh ? AuditEventKind.Refreshed : AuditEventKind.Issued, flight, proof, scopes: issued.GrantedScopes is { } granted ? grant.Quoted(granted) : grant.Scopes, revision: grant.PolicyRevision,
                tenant: grant.Tenant, credential: issued.Credential, unusableFrom: grant.UnusableFrom(issued.Credential), correlationId: issued.CorrelationId),
            cancellationToken);

    public Task FailedAsync(Flight flight, TokenExchangeException failure) =>
        session.TryRecordAsync(() => Event(
            AuditEventKind.Failed, flight, null, code: failure.Code, correlationId: failure.CorrelationId,
            reason: failure.IssuerError is { } issuerError ? $"{failure.Detail} [{issuerError}]" : failure.Detail));

    private AuditEvent Decision(AuditEventKind kind, Flight flight, AttestedProof proof, AccessRequest asked, AccessDecision decision, string revision) =>
        Event(kind, flight, proof, decision.Scopes ?? asked.Scopes, decision.Rule, revision, decision.IsPermitted ? null : decision.Reason, tenant: asked.Tenant);

    private AuditEvent Event(
        AuditEventKind kind, Flight flight, AttestedProof? proof, ScopeSet scopes = default, string? rule = null, string? revision = null, string? reason = null,
        string? code = null, string? tenant = null, Credential? credential = null, DateTimeOffset? unusableFrom = null, string? correlationId = null) => new()
        {
            Kind = kind,
            At = session.Clock.Now,
            FlightId = session.FlightId(flight.Number),
            Target = plan.Name,
            Job = proof?.Job?.Job ?? session.Context,
            AttestedFacts = proof?.Job?.Attested ?? JobFacts.None,
            Issuer = plan.Exchanger.Issuer.AbsoluteUri,
            SubjectIssuer = proof?.Issuer,
            Subject = proof?.Subject,
            Audience = proof is null ? null : plan.Exchanger.SubjectAudience.ToString(),
            SubjectFingerprint = proof?.Token.Fingerprint,
            WorkloadIsAsserted = proof?.WorkloadIsAsserted ?? false,
            IsAPersons = proof is { IsAPersons: true } or { Actor.IsAPersons: true },
            IsPlatformIssued = plan.Exchanger.IsPlatformIssued,
            ActorIssuer = proof?.Actor?.Issuer,
            ActorSubject = proof?.Actor?.Subject,
            ActorFingerprint = proof?.Actor?.Token.Fingerprint,
            Tenant = tenant,
            Scopes = scopes,
            Rule = rule,
            PolicyRevision = revision,
            Fingerprint = credential?.Fingerprint,
            UnusableFrom = unusableFrom,
            DiesAt = credential?.ExpiresAt,
            Code = code,
            Reason = reason,
            CorrelationId = correlationId,
        };
}
