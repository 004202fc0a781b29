using System.Collections.ObjectModel;

namespace Nhi.TokenExchange;

/// <summary>One thing that happened to one target of one job, or to the job. Proof, credential and revocation are joined by flight and fingerprint; tokens are never part of it.</summary>
public sealed class AuditEvent
{
    // Each question to the machine is a system call and a text of its own.
    private static readonly string s_host = Environment.MachineName;

    /// <summary>What happened.</summary>
    public required AuditEventKind Kind { get; init; }

    /// <summary>When, by the wall clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When, by the monotonic clock: how long the session that tells it had run by then. Where this and <see cref="At"/> drift apart, the wall clock was set.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>The session that tells it: of what an earlier one left behind, the one that found it. Its first eight bytes are those of each <see cref="FlightId"/> of the session's own, the others are zero.</summary>
    public Guid SessionId { get; init; }

    /// <summary>The process that tells it; of an event that is made, this one. Null of one that was read from a trail that does not say.</summary>
    public int? ProcessId { get; init; } = Environment.ProcessId;

    /// <summary>The name of its machine, as the machine says; of an event that is made, of this one.</summary>
    public string? Host { get; init; } = s_host;

    /// <summary>Joins the events of one exchange, and later those of the credential that came of it. All zeros where the event is the whole job's.</summary>
    public required Guid FlightId { get; init; }

    /// <summary>The name of the target; empty where the event is the whole job's.</summary>
    public required string Target { get; init; }

    /// <summary>The job. Where the event has a proof or a credential, a fact that the job leaves out is the proof's, if the proof attests it. <see cref="JobContext.Origins"/> tells where each was said.</summary>
    public required JobContext Job { get; init; }

    /// <summary>The facts of <see cref="Job"/> that the proof attests; through another target, the proof of the first one. Of a credential that ends, what the proof attested that it was got with. All others are only asserted, by whom <see cref="JobContext.Origins"/> names.</summary>
    public JobFacts AttestedFacts { get; init; }

    /// <summary>The authorization server.</summary>
    public string? Issuer { get; init; }

    /// <summary>Who signed the proof; through another target, the proof of the first one. Null of a proof that does not say.</summary>
    public string? SubjectIssuer { get; init; }

    /// <summary>Whom the proof names; through another target, the proof of the first one. Null of a proof that does not say.</summary>
    public string? Subject { get; init; }

    /// <summary>The target that is gone through: its credential is the proof, of which <see cref="SubjectFingerprint"/> and <see cref="Audience"/> tell. Null: the proof is the workload's own.</summary>
    public string? Through { get; init; }

    /// <summary>For whom the proof was made.</summary>
    public string? Audience { get; init; }

    /// <summary>Fingerprint of the proof.</summary>
    public string? SubjectFingerprint { get; init; }

    /// <summary>Of the proof, the claims that <see cref="TokenExchangeBuilder.AuditClaims"/> names and that are there, by name.</summary>
    public IReadOnlyDictionary<string, string> SubjectClaims { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>True if only the configuration says that the identity is a workload's.</summary>
    public bool WorkloadIsAsserted { get; init; }

    /// <summary>True if the proof is a person's, let through for development.</summary>
    public bool IsAPersons { get; init; }

    /// <summary>True if nothing is exchanged: the platform's own token is the credential, and nothing ends it before its time.</summary>
    public bool IsPlatformIssued { get; init; }

    /// <summary>Three questions about the target's credential, as far as they could be answered then; null where the event is of no flight.</summary>
    public CredentialExposure? Exposure { get; init; }

    /// <summary>The static key that is used instead of a credential that would be issued: whose it is, and until when. Null: none is. See <see cref="LeaseEnd.LivesOn"/>.</summary>
    public StaticKeyUse? StaticKey { get; init; }

    /// <summary>Who signed the actor's proof, where somebody acts for the subject.</summary>
    public string? ActorIssuer { get; init; }

    /// <summary>Whom the actor's proof names.</summary>
    public string? ActorSubject { get; init; }

    /// <summary>Fingerprint of the actor's proof.</summary>
    public string? ActorFingerprint { get; init; }

    /// <summary>The tenant that the caller named.</summary>
    public string? Tenant { get; init; }

    /// <summary>The program that it is for, where the job hands credentials on; null: the job itself. Its credentials' ends are joined to it by <see cref="FlightId"/>.</summary>
    public CredentialCaller? Caller { get; init; }

    /// <summary>Scopes asked for or granted. A granted one that was not asked for and looks like a token stands as <c>[redacted]</c>.</summary>
    public ScopeSet Scopes { get; init; }

    /// <summary>Where <see cref="Scopes"/> are granted ones: those that were asked for, after the policy.</summary>
    public ScopeSet AskedScopes { get; init; }

    /// <summary>The <c>resource</c> and <c>audience</c> values that are asked for, after the policy.</summary>
    public IReadOnlyList<string> Resources { get; init; } = [];

    /// <summary>The <c>authorization_details</c> that are asked for, after the policy: a JSON array; null for none.</summary>
    public string? AuthorizationDetails { get; init; }

    /// <summary>Of a permit: the scopes of the request, before the policy. Of a denial they stand in <see cref="Scopes"/>.</summary>
    public ScopeSet RequestedScopes { get; init; }

    /// <summary>Of a permit: the <c>resource</c> and <c>audience</c> values of the request, before the policy.</summary>
    public IReadOnlyList<string> RequestedResources { get; init; } = [];

    /// <summary>Of a permit: the <c>authorization_details</c> of the request, before the policy.</summary>
    public string? RequestedAuthorizationDetails { get; init; }

    /// <summary>The rule that decided.</summary>
    public string? Rule { get; init; }

    /// <summary>The rules that were in force: when it was decided, or, of what no decision led to, when the event was made. Of a <see cref="PolicyDocument"/>, its revision and the digest of its bytes.</summary>
    public string? PolicyRevision { get; init; }

    /// <summary>True of a permit of a policy that only observes (mode <c>observe</c>): the request was let through as it was asked. <see cref="Rule"/> and <see cref="Reason"/> say what would have been decided: <c>would deny: …</c>, <c>would permit …</c>.</summary>
    public bool IsObserved { get; init; }

    /// <summary>Fingerprint of the credential.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>What ends the credential at its issuer without holding it, such as the id of a lease, an accessor or the name of a role: joins this event with the issuer's own records. Not secret.</summary>
    public string? RevocationHandle { get; init; }

    /// <summary>From when we hand it out no more.</summary>
    public DateTimeOffset? UnusableFrom { get; init; }

    /// <summary>When it dies by itself at the issuer. Null of a static key, which does not.</summary>
    public DateTimeOffset? DiesAt { get; init; }

    /// <summary>How long it may be handed out at most, by the target's settings and the policy, counted from before the request. Null where nothing is exchanged.</summary>
    public TimeSpan? MaxLifetime { get; init; }

    /// <summary>The error code, where something failed or the job was cut short.</summary>
    public string? Code { get; init; }

    /// <summary>What failed, or why it was denied.</summary>
    public string? Reason { get; init; }

    /// <summary>The issuer's name for the request; of a decision that was asked of a remote decision point, that one's.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>Whether another session tells it than the flight's own: one that recovers what that one left.</summary>
    internal bool IsToldByAnotherSession => !FlightId.ToByteArray().AsSpan(0, 8).SequenceEqual(SessionId.ToByteArray().AsSpan(0, 8));

    /// <summary>The session of the flight.</summary>
    internal Guid FlightSession
    {
        get
        {
            byte[] id = FlightId.ToByteArray();
            id.AsSpan(8).Clear();
            return new Guid(id);
        }
    }
}
