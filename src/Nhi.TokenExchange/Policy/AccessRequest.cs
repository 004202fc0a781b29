namespace Nhi.TokenExchange;

/// <summary>What a policy decides on: identity, job, target, scope, life.</summary>
public sealed class AccessRequest
{
    /// <summary>The name of the target.</summary>
    public required string Target { get; init; }

    /// <summary>The job that asks. A fact that it leaves out is the proof's, where the proof attests it.</summary>
    public required JobContext Job { get; init; }

    /// <summary>The facts of <see cref="Job"/> that the proof attests; through another target, the proof of the first one. All others are only asserted, by whom <see cref="JobContext.Origins"/> names.</summary>
    public JobFacts AttestedFacts { get; init; }

    /// <summary>The authorization server that would issue, as an absolute URI.</summary>
    public required string TargetIssuer { get; init; }

    /// <summary>Who signed the proof (<c>iss</c>); empty for an opaque proof.</summary>
    public required string SubjectIssuer { get; init; }

    /// <summary>Whom the proof names (<c>sub</c>); empty for an opaque proof.</summary>
    public required string Subject { get; init; }

    /// <summary>All claims of the proof as text. A nested claim's name is its path, as <c>kubernetes.io/pod/uid</c>; an array is JSON text. Not verified by us: the issuer does that.</summary>
    public required IReadOnlyDictionary<string, string> Claims { get; init; }

    /// <summary>The scopes asked for; where the target names none, those that its exchange asks for then, such as <c>all-apis</c>. Empty: the issuer chooses.</summary>
    public required ScopeSet Scopes { get; init; }

    /// <summary>The <c>resource</c> and <c>audience</c> values that the target names beside its scopes (RFC 8693 §2.1); empty if it names none, or its exchange has no place for them.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>The <c>authorization_details</c> that the target asks for (RFC 9396): a JSON array; null if it asks for none, or its exchange has no place for them.</summary>
    public string? AuthorizationDetails { get; init; }

    /// <summary>How long the credential would be handed out at most.</summary>
    public required TimeSpan MaxLifetime { get; init; }

    /// <summary>When it is asked, by the job's clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The tenant that the caller named, where the issuer has tenants.</summary>
    public string? Tenant { get; init; }

    /// <summary>The program that it is for, where the job hands credentials on; null: the job itself.</summary>
    public CredentialCaller? Caller { get; init; }

    /// <summary>Whether the caller answers a claims challenge of the resource.</summary>
    public bool AnswersClaimsChallenge { get; init; }

    /// <summary>Who signed the actor's proof; null if nobody acts for the subject.</summary>
    public string? ActorIssuer { get; init; }

    /// <summary>Whom the actor's proof names.</summary>
    public string? ActorSubject { get; init; }

    /// <summary>Whether the proof is a person's, let through by <see cref="ActsFor.PersonInDevelopment"/>.</summary>
    public bool IsAPersons { get; init; }

    /// <summary>Whether nothing is exchanged: the platform's own token would be the credential, which lives as long as the platform wants and can't be ended.</summary>
    public bool IsPlatformIssued { get; init; }

    /// <summary>Three questions about the credential that would be got, with their answers. What a request does not say counts as yes.</summary>
    public CredentialExposure Exposure { get; init; } = CredentialExposure.Unknown;

    /// <summary>The static key that would be used, instead of a credential that is issued; null if none is. Nothing ends it but its owner, and a permit has to say that it is for one (<see cref="AccessDecision.PermitsStaticKey"/>).</summary>
    public StaticKeyUse? StaticKey { get; init; }

    /// <summary>Whether a credential of this target is being replaced.</summary>
    public bool IsRefresh { get; init; }

    /// <summary>The session's way out, for a policy that asks somebody; null without a session.</summary>
    internal HttpMessageInvoker? Backchannel { get; init; }

    /// <summary>The session's clock; null without a session.</summary>
    internal TimeProvider? Time { get; init; }

    /// <summary>Which flight asks; null without a session.</summary>
    internal Guid? FlightId { get; init; }
}
