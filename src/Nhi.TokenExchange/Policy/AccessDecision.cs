namespace Nhi.TokenExchange;

/// <summary>A permit, perhaps narrower or shorter than asked, or a deny. There is no default: nothing unmade can mean yes.</summary>
public sealed class AccessDecision
{
    private AccessDecision(bool permitted, string rule, string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(rule);
        IsPermitted = permitted;
        Rule = rule;
        Reason = reason;
    }

    /// <summary>Whether access is granted.</summary>
    public bool IsPermitted { get; }

    /// <summary>The rule that decided.</summary>
    public string Rule { get; }

    /// <summary>Why: claim, expected, presented. Never a token.</summary>
    public string Reason { get; }

    /// <summary>The scopes to ask for instead of the target's; null leaves them. Must be a subset.</summary>
    public ScopeSet? Scopes { get; private init; }

    /// <summary>The only names that the credential may be for: of the target's <c>resource</c> and <c>audience</c> values only these are asked for, and a JWT with another <c>aud</c> is ended and refused. Null leaves the target's.</summary>
    public IReadOnlyList<string>? Resources { get; private init; }

    /// <summary>What of the target's <c>authorization_details</c> may be asked for (RFC 9396): a JSON array, of which what both have in common is left. Null leaves the target's.</summary>
    public string? AuthorizationDetails { get; private init; }

    /// <summary>The longest hand-out; null leaves the target's.</summary>
    public TimeSpan? MaxLifetime { get; private init; }

    /// <summary>Until when this decision holds: no grant outlives its permit, and a deny is asked again then. Null: until the policy changes.</summary>
    public DateTimeOffset? HoldsUntil { get; private init; }

    /// <summary>Whether a credential that lives longer than it may be handed out is an error (NHI5008), and ended.</summary>
    public bool RefuseLongerLife { get; private init; }

    /// <summary>Whether only a credential will do that is bound to a key of this process (RFC 8705, RFC 9449).</summary>
    public bool SenderConstrained { get; private init; }

    /// <summary>Whether a static key is permitted (<see cref="AccessRequest.StaticKey"/>). A permit that does not say so permits none, whoever gives it.</summary>
    public bool PermitsStaticKey { get; private init; }

    /// <summary>Whether the policy only observes: it permits everything, and <see cref="Reason"/> says what it would have decided.</summary>
    internal bool IsObserved { get; private init; }

    /// <summary>How long a deny holds that the permit comes to: a policy that somebody else decides pushes no change. Null: until the policy changes.</summary>
    internal TimeSpan? AskedAgainAfter { get; set; }

    /// <summary>Has who remembers the decision forget it; null if nobody does.</summary>
    internal Action? Forget { get; set; }

    /// <summary>The document that decided; null if another policy did.</summary>
    internal string? Revision { get; set; }

    /// <summary>Until when a deny holds that the permit comes to: no longer than the permit would.</summary>
    internal DateTimeOffset? DenyHoldsUntil(DateTimeOffset now) => now + AskedAgainAfter is { } again && !(HoldsUntil <= again) ? again : HoldsUntil;

    /// <summary>A remote decision point's name for the decision, to find it in its log; for the audit. Null where the policy decides by itself.</summary>
    public string? CorrelationId { get; internal set; }

    /// <summary>Grants access.</summary>
    /// <param name="rule">The rule that decided.</param>
    /// <param name="scopes">Narrower scopes; null leaves the target's.</param>
    /// <param name="maxLifetime">A shorter hand-out; null leaves the target's.</param>
    /// <param name="holdsUntil">Until when the permit holds; null until the policy changes.</param>
    /// <param name="refuseLongerLife">Whether what lives longer than it may be handed out is ended and refused, not only handed out for a shorter time.</param>
    /// <param name="senderConstrained">Whether a credential that works for whoever holds it is refused.</param>
    /// <param name="resources">The only names that the credential may be for; null leaves the target's. A target that names none of them is denied.</param>
    /// <param name="authorizationDetails">The authorization details that may be asked for: a JSON array; null leaves the target's. A target that asks for none of them is denied.</param>
    /// <param name="permitsStaticKey">Whether what is permitted may be a static key, which lives on after the job. Without it a request that has a <see cref="AccessRequest.StaticKey"/> is denied.</param>
    /// <exception cref="ArgumentException">The rule is empty, or the details are no JSON array of objects with a <c>type</c> each.</exception>
    public static AccessDecision Permit(
        string rule, ScopeSet? scopes = null, TimeSpan? maxLifetime = null, DateTimeOffset? holdsUntil = null, bool refuseLongerLife = false, bool senderConstrained = false,
        IReadOnlyList<string>? resources = null, string? authorizationDetails = null, bool permitsStaticKey = false)
    {
        if (authorizationDetails is not null && AuthorizationDetailsCheck.FaultOfAsked(authorizationDetails) is { } fault)
            throw new ArgumentException($"It {fault}.", nameof(authorizationDetails));
        return new(true, rule, "")
        {
            Scopes = scopes, MaxLifetime = maxLifetime, HoldsUntil = holdsUntil, RefuseLongerLife = refuseLongerLife, SenderConstrained = senderConstrained, Resources = resources, AuthorizationDetails = authorizationDetails,
            PermitsStaticKey = permitsStaticKey,
        };
    }

    /// <summary>Refuses access.</summary>
    /// <param name="rule">The rule that decided.</param>
    /// <param name="reason">Claim, expected and presented value.</param>
    /// <param name="holdsUntil">Until when the deny holds, such as the start of a time window; null until the policy changes.</param>
    public static AccessDecision Deny(string rule, string reason, DateTimeOffset? holdsUntil = null) => new(false, rule, reason) { HoldsUntil = holdsUntil };

    /// <summary>What a permit comes to that can't be kept: a deny by the same rule, which the decision point finds by the same name.</summary>
    /// <param name="reason">Claim, expected and presented value.</param>
    /// <param name="holdsUntil">As of <see cref="Deny"/>.</param>
    internal AccessDecision Denied(string reason, DateTimeOffset? holdsUntil) => new(false, Rule, reason) { HoldsUntil = holdsUntil, CorrelationId = CorrelationId };

    /// <summary>A permit of a policy that only observes.</summary>
    /// <param name="would">What it would have decided. None of it counts.</param>
    internal static AccessDecision Observed(AccessDecision would) =>
        new(true, would.Rule, would.IsPermitted ? $"would permit{would.Limits}" : $"would deny: {would.Reason}") { IsObserved = true };

    /// <summary>What a permit leaves and demands, in words.</summary>
    private string Limits
    {
        get
        {
            string[] limits =
            [
                .. Scopes is { } scopes ? [$"scopes '{scopes}'"] : Array.Empty<string>(),
                .. Resources is { } resources ? [$"resources {PolicyText.OneOf(resources)}"] : Array.Empty<string>(),
                .. AuthorizationDetails is { } details ? [$"authorization details {PolicyText.Presented(details)}"] : Array.Empty<string>(),
                .. MaxLifetime is { } longest ? [$"a hand-out of {longest:c}"] : Array.Empty<string>(),
                .. RefuseLongerLife ? ["no longer life"] : Array.Empty<string>(),
                .. SenderConstrained ? ["a sender-constrained credential"] : Array.Empty<string>(),
            ];
            return limits.Length == 0 ? "" : $" {string.Join(", ", limits)}";
        }
    }
}
