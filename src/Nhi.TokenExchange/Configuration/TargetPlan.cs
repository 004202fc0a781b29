namespace Nhi.TokenExchange;

/// <summary>One target, checked and frozen.</summary>
internal sealed record TargetPlan(
    string Name,
    TokenExchanger Exchanger,
    IdentityPlan? Identity,
    string? Through,
    IdentityPlan? Actor,
    ScopeSet Scopes,
    TimeSpan MaxLifetime,
    IReadOnlyList<Uri> AllowedOrigins,
    JobFacts AttestedFacts,
    string? AttestingIssuer)
{
    /// <summary>Where the credential may go: what was allowed, else the issuer's own origin; nowhere if the issuer has none. A static key's issuer is the vault, which is not where it goes.</summary>
    public IReadOnlyList<Uri> Origins { get; } =
        AllowedOrigins.Count > 0 || Exchanger.StaticKey is not null ? AllowedOrigins : Origin.IsSafe(Exchanger.Issuer) ? [new Uri(Exchanger.Issuer, "/")] : [];
}

/// <summary>One identity, checked and frozen.</summary>
internal sealed record IdentityPlan(string Name, IWorkloadIdentitySource Source, ActsFor ActsFor);
