namespace Nhi.TokenExchange;

/// <summary>What OCSF calls an event: class and activity, how grave, how it went.</summary>
/// <remarks>
/// https://schema.ocsf.io: <c>type_uid</c> = <c>class_uid</c> × 100 + <c>activity_id</c>. The activities of tickets are Kerberos', and of all that OCSF has a renewal is nearest to the one of them. Where none says what happened, it is 99 with a name of ours.
/// </remarks>
internal sealed record OcsfClass(int Uid, string Name, int ActivityId, string Activity, int Severity, int StatusId, string Status)
{
    public const int Authentication = 3002;
    public const int AuthorizeSession = 3003;
    public const int EntityManagement = 3004;
    public const int ApiActivity = 6003;

    private const int Other = 99;
    private const int Informational = 1;
    private const int Low = 2;
    private const int Medium = 3;
    private const int High = 4;

    public int CategoryUid => Uid / 1000;

    public string Category => CategoryUid == 3 ? "Identity & Access Management" : "Application Activity";

    public int TypeUid => (Uid * 100) + ActivityId;

    public static OcsfClass Of(AuditEvent auditEvent) => auditEvent.Kind switch
    {
        AuditEventKind.Attested => Success(Authentication, Other, "Attest"),
        AuditEventKind.Permitted => Success(AuthorizeSession, 1, "Assign Privileges"),
        AuditEventKind.Denied => Failure(AuthorizeSession, 1, "Assign Privileges", Medium),
        AuditEventKind.Exchanging => new(ApiActivity, "API Activity", 1, "Create", Informational, 0, "Unknown"),
        AuditEventKind.Issued or AuditEventKind.Refreshed => Success(Authentication, 1, "Logon"),
        AuditEventKind.Renewed => Success(Authentication, 5, "Service Ticket Renew"),
        AuditEventKind.Revoked or AuditEventKind.Expired => Success(Authentication, 2, "Logoff"),
        AuditEventKind.Orphaned when auditEvent.Code is not null => Failure(Authentication, 2, "Logoff", High),
        AuditEventKind.Orphaned => Success(Authentication, Other, "Orphan") with { Severity = Low },
        AuditEventKind.Failed => Failure(Authentication, 1, "Logon", Low),
        AuditEventKind.CallerRefused => Failure(Authentication, 1, "Logon", Medium),
        AuditEventKind.Recovered => Success(Authentication, Other, "Recover") with { Severity = Low },
        AuditEventKind.JobCutShort => Success(EntityManagement, Other, "Cut Short") with { Severity = Medium },
        _ => throw new ArgumentOutOfRangeException(nameof(auditEvent), auditEvent.Kind, "Unknown kind of audit event."),
    };

    private static OcsfClass Success(int uid, int activityId, string activity) => new(uid, NameOf(uid), activityId, activity, Informational, 1, "Success");

    private static OcsfClass Failure(int uid, int activityId, string activity, int severity) => new(uid, NameOf(uid), activityId, activity, severity, 2, "Failure");

    private static string NameOf(int uid) => uid switch { Authentication => "Authentication", AuthorizeSession => "Authorize Session", _ => "Entity Management" };
}
