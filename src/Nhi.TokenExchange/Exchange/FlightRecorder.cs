namespace Nhi.TokenExchange;

/// <summary>Writes the audit events of the flights of one target. What can't be recorded fails the flight, but for the record of its failure.</summary>
internal sealed class FlightRecorder(JobSession session, TargetPlan plan)
{
    public ValueTask AttestedAsync(Flight flight, AttestedProof proof, CancellationToken cancellationToken) =>
        session.RecordAsync(Event(AuditEventKind.Attested, flight, proof), cancellationToken);

    public ValueTask DecidedAsync(Flight flight, AttestedProof proof, AccessDecision decision, string revision, CancellationToken cancellationToken) =>
        session.RecordAsync(
            Event(decision.IsPermitted ? AuditEventKind.Permitted : AuditEventKind.Denied, flight, proof, scopes: decision.Scopes ?? plan.Scopes, rule: decision.Rule, revision: revision, reason: decision.IsPermitted ? null : decision.Reason),
            cancellationToken);

    // 3 record: the intent, before a credential exists
    public ValueTask ExchangingAsync(Flight flight, AttestedProof proof, Grant grant, CancellationToken cancellationToken) =>
        session.RecordAsync(Event(AuditEventKind.Exchanging, flight, proof, scopes: grant.Scopes), cancellationToken);

    // 6 record: the outcome, before anybody gets it
    public ValueTask IssuedAsync<T>(Flight flight, AttestedProof proof, Grant grant, Issued<T> issued, CancellationToken cancellationToken)
        where T : Credential =>
        session.RecordAsync(
            Event(
                flight.IsRefresh ? AuditEventKind.Refreshed : AuditEventKind.Issued, flight, proof, scopes: issued.GrantedScopes ?? grant.Scopes,
                credential: issued.Credential, unusableFrom: grant.UnusableFrom(issued.Credential), correlationId: issued.CorrelationId),
            cancellationToken);

    public Task FailedAsync(Flight flight, TokenExchangeException failure) =>
        session.TryRecordAsync(() => Event(AuditEventKind.Failed, flight, null, code: failure.Code, reason: failure.IssuerError is { } issuerError ? $"{failure.Detail} [{issuerError}]" : failure.Detail, correlationId: failure.CorrelationId));

    private AuditEvent Event(
        AuditEventKind kind, Flight flight, AttestedProof? proof, ScopeSet scopes = default, string? rule = null, string? revision = null, string? reason = null,
        string? code = null, Credential? credential = null, DateTimeOffset? unusableFrom = null, string? correlationId = null) => new()
        {
            Kind = kind,
            At = session.Clock.Now,
            FlightId = session.FlightId(flight.Number),
            Target = plan.Name,
            Job = session.Context,
            Issuer = plan.Exchanger.Issuer.AbsoluteUri,
            SubjectIssuer = proof?.Issuer,
            Subject = proof?.Subject,
            Audience = proof is null ? null : plan.Exchanger.SubjectAudience.ToString(),
            SubjectFingerprint = proof?.Token.Fingerprint,
            WorkloadIsAsserted = proof?.WorkloadIsAsserted ?? false,
            Scopes = scopes,
            Rule = rule,
            PolicyRevision = revision ?? session.Plan.Policy.Revision,
            Fingerprint = credential?.Fingerprint,
            UnusableFrom = unusableFrom,
            DiesAt = credential?.ExpiresAt,
            Code = code,
            Reason = reason,
            CorrelationId = correlationId,
        };
}
