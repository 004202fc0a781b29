namespace Nhi.TokenExchange;

/// <summary>What a flight asks the policy.</summary>
internal static class AccessQuestion
{
    public static AccessRequest Of(TargetRuntime target, Flight flight, AttestedProof proof, CredentialRequest? request) => new()
    {
        Target = target.Target,
        Job = proof.Job!.Job,
        AttestedFacts = proof.Job.Attested,
        TargetIssuer = target.Plan.Exchanger.Issuer.AbsoluteUri,
        SubjectIssuer = proof.Issuer,
        Subject = proof.Subject,
        Claims = proof.Claims,
        ActorIssuer = proof.Actor?.Issuer,
        ActorSubject = proof.Actor?.Subject,
        Scopes = ScopesOf(target.Plan, request),
        Resources = target.Plan.Exchanger.Resources,
        AuthorizationDetails = target.Plan.Exchanger.AuthorizationDetails,
        Tenant = request?.Tenant,
        Caller = request?.Caller,
        AnswersClaimsChallenge = request?.Claims is not null,
        MaxLifetime = target.Plan.MaxLifetime,
        At = target.Session.Clock.Now,
        IsAPersons = proof.Workload.IsAPersons,
        IsPlatformIssued = target.Plan.Exchanger.IsPlatformIssued,
        StaticKey = target.Plan.Exchanger.StaticKey,
        Exposure = target.ExposureBy(proof),
        IsRefresh = flight.IsRefresh,
        Backchannel = target.Session.Backchannel,
        Time = target.Session.Plan.Time,
        FlightId = target.Session.FlightId(flight.Number),
    };

    // What goes out in any case is asked of the policy, too.
    private static ScopeSet ScopesOf(TargetPlan plan, CredentialRequest? request) =>
        (request?.Scopes ?? plan.Scopes) is { IsEmpty: false } named ? named : plan.Exchanger.DefaultScopes;
}
