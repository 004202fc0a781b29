namespace Nhi.TokenExchange.Tests;

/// <summary>One event of each kind, with all that such an event has: the examples of the page, and material for tests.</summary>
internal static class SampleEvents
{
    public static readonly DateTimeOffset Start = new(2026, 11, 3, 2, 0, 0, TimeSpan.Zero);
    public static readonly Guid Session = Guid.Parse("5a5a0000-0000-4000-0000-000000000000");
    public static readonly Guid Flight = Guid.Parse("5a5a0000-0000-4000-0000-000000000001");

    private const string Proof = "1f0c9a3b77d25e61";
    private const string Credential = "801bdea5953a4b7e";

    /// <summary>All kinds, in the order in which a job might tell them.</summary>
    public static IReadOnlyList<AuditEvent> All { get; } =
    [
        OfProof(AuditEventKind.Attested, 110),
        OfDecision(AuditEventKind.Permitted, 120, "orders-load", null),
        OfDecision(AuditEventKind.Denied, 120, "orders-only", "claim 'kubernetes.io/namespace' is 'sandbox', and the rule wants 'jobs'"),
        OfExchange(AuditEventKind.Exchanging, 130, null),
        OfExchange(AuditEventKind.Issued, 480, Credential),
        OfExchange(AuditEventKind.Refreshed, 1_500_480, "40a67be674c9f87b"),
        OfExchange(AuditEventKind.Renewed, 1_500_480, Credential),
        OfEnd(AuditEventKind.Revoked, 1_800_000, null, "the job has ended"),
        OfEnd(AuditEventKind.Expired, 3_600_000, null, null),
        OfEnd(AuditEventKind.Orphaned, 1_800_000, ErrorCodes.RevocationFailed, "the job has ended; the issuer answered 503 in 3 tries"),
        new()
        {
            Kind = AuditEventKind.Failed, At = At(480), Elapsed = Elapsed(480), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, Issuer = "https://login.example/", PolicyRevision = Revision,
            Exposure = Exposure, Code = ErrorCodes.IssuerRefused, Reason = "The issuer refused the proof. [invalid_grant: no federation policy matches]", CorrelationId = "req-7301",
        },
        OfEnd(AuditEventKind.Recovered, 40, null, "the job was killed while this exchange was in the air; if a credential came of it, nobody has it, and it dies by itself", isKnown: false),
        new()
        {
            Kind = AuditEventKind.JobCutShort, At = At(900_000), Elapsed = Elapsed(900_000), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Guid.Empty, Target = "", Job = Job, PolicyRevision = Revision,
            Code = ErrorCodes.JobRevoked, Reason = "revoked by its kill switch: incident 4711",
        },
        new()
        {
            Kind = AuditEventKind.CallerRefused, At = At(900_000), Elapsed = Elapsed(900_000), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Guid.Empty, Target = "", Job = Job, PolicyRevision = Revision,
            Caller = new CredentialCaller("unproven", "unproven", 4712, 1001), Reason = "process 4712 of user 1001 asks; this broker serves user 1000",
        },
    ];

    /// <summary>An event with every member set, as no kind has it.</summary>
    public static AuditEvent Full => new()
    {
        Kind = AuditEventKind.Issued, At = At(480), Elapsed = Elapsed(480), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, AttestedFacts = JobFacts.Run | JobFacts.Environment, Issuer = "https://login.example/",
        SubjectIssuer = "https://cluster.example", Subject = "system:serviceaccount:jobs:orders", Through = "account", Audience = "https://login.example/", SubjectFingerprint = Proof, SubjectClaims = new Dictionary<string, string> { ["repository"] = "shop/orders" }, WorkloadIsAsserted = true, IsAPersons = true, IsPlatformIssued = true,
        Exposure = Exposure, StaticKey = new StaticKeyUse { Owner = "data-platform", Until = At(86_400_000), Secret = "secret/data/billing#key", Version = "4" }, ActorIssuer = "https://cluster.example", ActorSubject = "system:serviceaccount:jobs:relay",
        ActorFingerprint = "77aa77aa77aa77aa", Tenant = "contoso", Caller = new CredentialCaller("process 4711 started 99", "process", 4711, 1000), Scopes = ScopeSet.Of("sql"), AskedScopes = ScopeSet.Of("sql", "all-apis"), RequestedScopes = ScopeSet.Of("sql", "all-apis", "files"), RequestedResources = ["https://warehouse.example", "https://lake.example"], RequestedAuthorizationDetails = """[{"type":"table"},{"type":"view"}]""", Resources = ["https://warehouse.example"], AuthorizationDetails = """[{"type":"table"}]""",
        Rule = "orders-load", PolicyRevision = Revision, IsObserved = true, Fingerprint = Credential, RevocationHandle = "database/creds/orders/abc", UnusableFrom = At(3_560_000), DiesAt = At(3_600_000), MaxLifetime = TimeSpan.FromMinutes(50),
        Code = ErrorCodes.IssuerRefused, Reason = "because", CorrelationId = "req-7301",
    };

    private static string Revision => "7+sha256:" + new string('a', 64);

    private static JobContext Job => JobContext.Of(new Dictionary<string, (string Value, string Origin)>
    {
        ["Pipeline"] = ("orders-nightly", "configuration"), ["Run"] = ("4711", "claim run_id of GitHub Actions"), ["Dataset"] = ("orders", "code"), ["Purpose"] = ("load", "code"),
        ["Environment"] = ("production", "claim environment of GitHub Actions"),
    })!;

    private static CredentialExposure Exposure => new(
        ExposureAnswer.Yes("Databricks ends no token before its time"), ExposureAnswer.No("it is shown once, to this process"), ExposureAnswer.No("the proof is known to be a workload's"));

    /// <summary>The same event with other texts everywhere that a text from outside may stand.</summary>
    public static AuditEvent With(string text, AuditEventKind kind = AuditEventKind.Issued, ScopeSet scopes = default) => new()
    {
        Kind = kind, RequestedScopes = scopes, AskedScopes = scopes, Scopes = scopes, At = Start, Host = text, FlightId = Flight, Target = text, Job = new JobContext { Pipeline = text, Run = text, Task = text, Dataset = text, Purpose = text, Environment = text }, Issuer = text, SubjectIssuer = text,
        Subject = text, Through = text, Audience = text, SubjectFingerprint = text, SubjectClaims = Enumerable.Range(0, 8).ToDictionary(i => $"claim-{i}", _ => text), Exposure = new CredentialExposure(ExposureAnswer.Yes(text), ExposureAnswer.Yes(text), ExposureAnswer.No(text)),
        StaticKey = new StaticKeyUse { Owner = text, Until = Start, Secret = text, Version = text }, ActorIssuer = text, ActorSubject = text, ActorFingerprint = text, Tenant = text, Caller = new CredentialCaller(text, text, 1, 2), Resources = [.. Enumerable.Repeat(text, 1000)], RequestedResources = [.. Enumerable.Repeat(text, 1000)], RequestedAuthorizationDetails = text,
        AuthorizationDetails = text, Rule = text, PolicyRevision = text, Fingerprint = text, RevocationHandle = text, Code = text, Reason = text, CorrelationId = text,
    };

    private static DateTimeOffset At(int milliseconds) => Start.AddMilliseconds(milliseconds);

    private static TimeSpan Elapsed(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);

    private static AuditEvent OfProof(AuditEventKind kind, int at) => new()
    {
        Kind = kind, At = At(at), Elapsed = Elapsed(at), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, AttestedFacts = JobFacts.Run | JobFacts.Environment, Issuer = "https://login.example/",
        SubjectIssuer = "https://token.actions.githubusercontent.com", Subject = "repo:shop/orders:environment:production", Audience = "https://login.example/", SubjectFingerprint = Proof, Exposure = Exposure, PolicyRevision = Revision,
    };

    private static AuditEvent OfDecision(AuditEventKind kind, int at, string rule, string? reason) => new()
    {
        Kind = kind, At = At(at), Elapsed = Elapsed(at), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, AttestedFacts = JobFacts.Run | JobFacts.Environment, Issuer = "https://login.example/",
        SubjectIssuer = "https://token.actions.githubusercontent.com", Subject = "repo:shop/orders:environment:production", Audience = "https://login.example/", SubjectFingerprint = Proof, Exposure = Exposure, PolicyRevision = Revision,
        RequestedScopes = kind == AuditEventKind.Permitted ? ScopeSet.Of("sql", "all-apis") : ScopeSet.Empty, Scopes = ScopeSet.Of("sql"), Rule = rule, Reason = reason,
    };

    private static AuditEvent OfExchange(AuditEventKind kind, int at, string? credential) => new()
    {
        Kind = kind, At = At(at), Elapsed = Elapsed(at), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, AttestedFacts = JobFacts.Run | JobFacts.Environment, Issuer = "https://login.example/",
        SubjectIssuer = "https://token.actions.githubusercontent.com", Subject = "repo:shop/orders:environment:production", Audience = "https://login.example/", SubjectFingerprint = Proof, Exposure = Exposure, PolicyRevision = Revision,
        Scopes = ScopeSet.Of("sql"), AskedScopes = credential is null ? ScopeSet.Empty : ScopeSet.Of("sql"), Fingerprint = credential, UnusableFrom = credential is null ? null : At(at + 2_600_000), DiesAt = credential is null ? null : At(at + 3_600_000),
        MaxLifetime = TimeSpan.FromMinutes(50), CorrelationId = credential is null ? null : "req-7301",
    };

    private static AuditEvent OfEnd(AuditEventKind kind, int at, string? code, string? reason, bool isKnown = true) => new()
    {
        Kind = kind, At = At(at), Elapsed = Elapsed(at), SessionId = Session, ProcessId = 4711, Host = "node-1", FlightId = Flight, Target = "warehouse", Job = Job, AttestedFacts = JobFacts.Run | JobFacts.Environment, Issuer = "https://login.example/", PolicyRevision = Revision,
        Fingerprint = isKnown ? Credential : null, RevocationHandle = isKnown ? "oauth2/lease/9f3" : null, UnusableFrom = isKnown ? At(2_600_480) : null, DiesAt = isKnown ? At(3_600_480) : null, Code = code, Reason = reason,
    };
}
