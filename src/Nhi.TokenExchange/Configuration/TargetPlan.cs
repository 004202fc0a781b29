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
    IReadOnlyList<Uri> AllowedOrigins);

/// <summary>One identity, checked and frozen.</summary>
internal sealed record IdentityPlan(string Name, IWorkloadIdentitySource Source, ActsFor ActsFor);
