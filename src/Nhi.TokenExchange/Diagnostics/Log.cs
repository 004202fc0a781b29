using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>All log lines of this package. Event ids by room: 100 audit, 200 jobs, 300 caching, 400 exchange, 500 identities, 600 policy.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 101, Level = LogLevel.Information, Message = "{Target} attested ({Job}, flight {FlightId}): {SubjectIssuer} says {Subject} for {Audience}; proof {SubjectFingerprint} through {Through}, workload only asserted: {WorkloadIsAsserted}, attested facts of the job: {AttestedFacts}")]
    public static partial void Attested(this ILogger logger, string target, JobContext job, Guid flightId, string? subjectIssuer, string? subject, string? audience, string? subjectFingerprint, string? through, bool workloadIsAsserted, JobFacts attestedFacts);

    [LoggerMessage(EventId = 102, Level = LogLevel.Information, Message = "{Target} permitted ({Job}, flight {FlightId}) by rule {Rule} of policy {PolicyRevision}: scopes {Scopes}, correlation {CorrelationId}")]
    public static partial void Permitted(this ILogger logger, string target, JobContext job, Guid flightId, string? rule, string? policyRevision, string scopes, string? correlationId);

    [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "{Target} denied ({Job}, flight {FlightId}) by rule {Rule} of policy {PolicyRevision}: {Reason} (correlation {CorrelationId})")]
    public static partial void Denied(this ILogger logger, string target, JobContext job, Guid flightId, string? rule, string? policyRevision, string? reason, string? correlationId);

    [LoggerMessage(EventId = 104, Level = LogLevel.Information, Message = "{Target} exchanging ({Job}, flight {FlightId}) at {Issuer}: scopes {Scopes}, proof {SubjectFingerprint}")]
    public static partial void Exchanging(this ILogger logger, string target, JobContext job, Guid flightId, string? issuer, string scopes, string? subjectFingerprint);

    [LoggerMessage(EventId = 105, Level = LogLevel.Information, Message = "{Target} issued ({Job}, flight {FlightId}) by {Issuer}: credential {Fingerprint}, scopes {Scopes}, unusable from {UnusableFrom:u}, dies at {DiesAt:u}, correlation {CorrelationId}; {Exposure}")]
    public static partial void Issued(this ILogger logger, string target, JobContext job, Guid flightId, string? issuer, string? fingerprint, string scopes, DateTimeOffset? unusableFrom, DateTimeOffset? diesAt, string? correlationId, string? exposure);

    [LoggerMessage(EventId = 106, Level = LogLevel.Information, Message = "{Target} refreshed ({Job}, flight {FlightId}) by {Issuer}: credential {Fingerprint}, scopes {Scopes}, unusable from {UnusableFrom:u}, dies at {DiesAt:u}, correlation {CorrelationId}; {Exposure}")]
    public static partial void Refreshed(this ILogger logger, string target, JobContext job, Guid flightId, string? issuer, string? fingerprint, string scopes, DateTimeOffset? unusableFrom, DateTimeOffset? diesAt, string? correlationId, string? exposure);

    [LoggerMessage(EventId = 107, Level = LogLevel.Information, Message = "{Target} revoked ({Job}, flight {FlightId}): credential {Fingerprint}; {Reason}")]
    public static partial void Revoked(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, string? reason);

    [LoggerMessage(EventId = 108, Level = LogLevel.Information, Message = "{Target} expired ({Job}, flight {FlightId}): credential {Fingerprint} is gone, at {DiesAt:u} at the latest; {Reason}")]
    public static partial void Expired(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, DateTimeOffset? diesAt, string reason);

    [LoggerMessage(EventId = 109, Level = LogLevel.Warning, Message = "{Target} orphaned ({Job}, flight {FlightId}): credential {Fingerprint}, handle {Handle}, could not be ended and dies at {DiesAt:u}; {Reason}")]
    public static partial void Orphaned(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, string handle, DateTimeOffset? diesAt, string? reason);

    [LoggerMessage(EventId = 110, Level = LogLevel.Warning, Message = "{Target} failed ({Job}, flight {FlightId}): {Code} {Reason} (correlation {CorrelationId})")]
    public static partial void Failed(this ILogger logger, string target, JobContext job, Guid flightId, string? code, string? reason, string? correlationId);

    [LoggerMessage(EventId = 111, Level = LogLevel.Information, Message = "{Target} recovered ({Job}, flight {FlightId}): credential {Fingerprint}; {Reason}")]
    public static partial void Recovered(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, string? reason);

    [LoggerMessage(EventId = 112, Level = LogLevel.Information, Message = "{Target} lives on ({Job}, flight {FlightId}): nothing can end credential {Fingerprint} before it dies at {DiesAt:u}; {Reason}")]
    public static partial void LivesOn(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, DateTimeOffset? diesAt, string? reason);

    [LoggerMessage(EventId = 113, Level = LogLevel.Information, Message = "{Target} renewed ({Job}, flight {FlightId}) by {Issuer}: credential {Fingerprint}, unusable from {UnusableFrom:u}, dies at {DiesAt:u}, correlation {CorrelationId}")]
    public static partial void Renewed(this ILogger logger, string target, JobContext job, Guid flightId, string? issuer, string? fingerprint, DateTimeOffset? unusableFrom, DateTimeOffset? diesAt, string? correlationId);

    [LoggerMessage(EventId = 114, Level = LogLevel.Warning, Message = "{Target} permitted ({Job}, flight {FlightId}) because policy {PolicyRevision} only observes; rule {Rule} {Reason}: scopes {Scopes}")]
    public static partial void Observed(this ILogger logger, string target, JobContext job, Guid flightId, string? rule, string? policyRevision, ScopeSet scopes, string? reason);

    [LoggerMessage(EventId = 115, Level = LogLevel.Warning, Message = "The job is cut short ({Job}): {Code} {Reason}")]
    public static partial void CutShort(this ILogger logger, JobContext job, string? code, string? reason);

    [LoggerMessage(EventId = 116, Level = LogLevel.Information, Message = "{Target} read its static key ({Job}, flight {FlightId}): {StaticKey}; key {Fingerprint}, unusable from {UnusableFrom:u}, correlation {CorrelationId}")]
    public static partial void StaticKeyRead(this ILogger logger, string target, JobContext job, Guid flightId, string? staticKey, string? fingerprint, DateTimeOffset? unusableFrom, string? correlationId);

    [LoggerMessage(EventId = 117, Level = LogLevel.Information, Message = "{Target} let its static key go ({Job}, flight {FlightId}): key {Fingerprint} lives on at its service; {Reason}")]
    public static partial void StaticKeyLivesOn(this ILogger logger, string target, JobContext job, Guid flightId, string? fingerprint, string? reason);

    [LoggerMessage(EventId = 118, Level = LogLevel.Warning, Message = "A caller is refused ({Job}): {Reason} (caller {Caller})")]
    public static partial void CallerRefused(this ILogger logger, JobContext job, string? reason, string caller);

    [LoggerMessage(EventId = 130, Level = LogLevel.Information, Message = "Audit anchor ({Job}, {Why}): {Anchor}")]
    public static partial void AuditAnchor(this ILogger logger, JobContext job, string anchor, string why);

    [LoggerMessage(EventId = 131, Level = LogLevel.Warning, Message = "The audit file {Path} {Found}; {Next} carries its chain on ({Job}, {Code})")]
    public static partial void AuditFileLeft(this ILogger logger, JobContext job, string path, string found, string next, string code);

    [LoggerMessage(EventId = 132, Level = LogLevel.Error, Message = "The audit file {Path} can't be written ({ExceptionType}: {Reason}); what is not recorded is not handed out where the audit is required ({Job})")]
    public static partial void AuditFileFailed(this ILogger logger, JobContext job, string path, string exceptionType, string reason);

    [LoggerMessage(EventId = 133, Level = LogLevel.Warning, Message = "{Count} audit file(s) of earlier processes have no end: killed, or without a disk; they are left as they are ({Job}, {Code}): {Files}")]
    public static partial void AuditUnfinished(this ILogger logger, JobContext job, int count, string files, string code);

    [LoggerMessage(EventId = 134, Level = LogLevel.Warning, Message = "The audit folder {Path} could not be looked through for files without an end ({Job}): {ExceptionType}")]
    public static partial void AuditNotLookedThrough(this ILogger logger, JobContext job, string path, string exceptionType);

    [LoggerMessage(EventId = 135, Level = LogLevel.Warning, Message = "{Count} audit event(s) were dropped that the sink {Sink} did not take ({Why}); nothing waits for it, and it is told of further ones ({Job})")]
    public static partial void AuditDropped(this ILogger logger, JobContext job, long count, string sink, string why);

    [LoggerMessage(EventId = 136, Level = LogLevel.Error, Message = "The audit has not come to its end by now; what it has not taken is not recorded ({Job})")]
    public static partial void AuditNotEnded(this ILogger logger, JobContext job);

    [LoggerMessage(EventId = 137, Level = LogLevel.Warning, Message = "The audit collector {Host} does not take events ({Why}); they wait in the spool, and are sent again ({Job}, {Code})")]
    public static partial void AuditCollectorFails(this ILogger logger, JobContext job, string host, string why, string code);

    [LoggerMessage(EventId = 138, Level = LogLevel.Information, Message = "The audit collector {Host} takes events again ({Job})")]
    public static partial void AuditCollectorIsBack(this ILogger logger, JobContext job, string host);

    [LoggerMessage(EventId = 139, Level = LogLevel.Error, Message = "The audit collector {Host} refused {Count} event(s), or their lines were damaged; they are set aside in {Path} ({Job}, {Code})")]
    public static partial void AuditEventsRefused(this ILogger logger, JobContext job, string host, int count, string path, string code);

    [LoggerMessage(EventId = 140, Level = LogLevel.Warning, Message = "The spool {Path} could not be read or sent; that is tried again, by the next start at the latest ({Job}): {Reason}")]
    public static partial void AuditSpoolFailed(this ILogger logger, JobContext job, string path, string reason);

    [LoggerMessage(EventId = 141, Level = LogLevel.Information, Message = "{Count} file(s) of the spool {Path} wait for the next start: the job has ended, and the collector has not taken them ({Job})")]
    public static partial void AuditSpoolLeft(this ILogger logger, JobContext job, string path, int count);

    [LoggerMessage(EventId = 142, Level = LogLevel.Warning, Message = "The log leaves out lines of level Information, and the audit's anchors are such lines: they stand in trace and report alone ({Job}, {Code})")]
    public static partial void AuditAnchorsLeftOut(this ILogger logger, JobContext job, string code);

    [LoggerMessage(EventId = 143, Level = LogLevel.Error, Message = "The log has to record the audit, and leaves out its lines of level Information: nothing will be handed out ({Job}, {Code}). {Remedy}")]
    public static partial void AuditLeftOut(this ILogger logger, JobContext job, string remedy, string code);

    [LoggerMessage(EventId = 144, Level = LogLevel.Warning, Message = "{Count} line(s) of this log were lost: it took none, and as many waited for it as may ({Job})")]
    public static partial void LinesLost(this ILogger logger, JobContext job, long count);

    [LoggerMessage(EventId = 170, Level = LogLevel.Warning, Message = "What the answers about the credential of {Target} depend on could not be read ({Code}); what is not known counts as yes, and the policy decides: flight {FlightId}")]
    public static partial void ExposureNotLearnt(this ILogger logger, string target, string code, Guid flightId);

    [LoggerMessage(EventId = 171, Level = LogLevel.Warning, Message = "{Target} will be denied: {Question} is {Answer}, and policy {PolicyRevision} does not permit that (rules {Rules})")]
    public static partial void ExposureWillBeDenied(this ILogger logger, string target, string question, ExposureAnswer answer, string policyRevision, string rules);

    [LoggerMessage(EventId = 201, Level = LogLevel.Information, Message = "Job started: {Job}; targets {Targets}")]
    public static partial void JobStarted(this ILogger logger, JobContext job, string targets);

    [LoggerMessage(EventId = 202, Level = LogLevel.Information, Message = "Job ended ({Cause}): {Job}; {Summary}")]
    public static partial void JobCompleted(this ILogger logger, JobContext job, string cause, string summary);

    [LoggerMessage(EventId = 203, Level = LogLevel.Error, Message = "Job ended ({Cause}) with credentials that live on: {Job}; {Summary}")]
    public static partial void JobCompletedWithOrphans(this ILogger logger, JobContext job, string cause, string summary);

    [LoggerMessage(EventId = 204, Level = LogLevel.Warning, Message = "A callback on the end of the job failed: {Job}; {ExceptionType}")]
    public static partial void EndedCallbackFailed(this ILogger logger, JobContext job, string exceptionType);

    [LoggerMessage(EventId = 205, Level = LogLevel.Warning, Message = "A plug-in of the job could not be disposed: {Job}; {Plugin} threw {ExceptionType}")]
    public static partial void PluginDisposalFailed(this ILogger logger, JobContext job, string plugin, string exceptionType);

    [LoggerMessage(EventId = 206, Level = LogLevel.Warning, Message = "Job ends before its time: {Job}; {Reason}")]
    public static partial void JobCutShort(this ILogger logger, JobContext job, string reason);

    [LoggerMessage(EventId = 207, Level = LogLevel.Warning, Message = "The kill switch {Path} can't be thrown: its folder is not there, or can't be seen: {Job}; it is looked for on")]
    public static partial void KillSwitchOutOfSight(this ILogger logger, JobContext job, string path);

    [LoggerMessage(EventId = 208, Level = LogLevel.Warning, Message = "The journal {Path} could not be read or written: {Job}; {ExceptionType}. What can't be written down is not handed out")]
    public static partial void JournalFailed(this ILogger logger, JobContext job, string path, string exceptionType);

    [LoggerMessage(EventId = 209, Level = LogLevel.Warning, Message = "The journal {Path} keeps {Count} credential(s) or exchange(s) that could not be ended, for the next start: {Job}")]
    public static partial void JournalLeft(this ILogger logger, JobContext job, string path, int count);

    [LoggerMessage(EventId = 210, Level = LogLevel.Error, Message = "A journal was refused: {Job}; {Reason}")]
    public static partial void JournalRefused(this ILogger logger, JobContext job, string reason);

    [LoggerMessage(EventId = 211, Level = LogLevel.Warning, Message = "What earlier jobs left behind, killed or ended, was dealt with: {Job}; {Summary}")]
    public static partial void RecoveryCompleted(this ILogger logger, JobContext job, string summary);

    [LoggerMessage(EventId = 212, Level = LogLevel.Error, Message = "What earlier jobs left behind, killed or ended, could not all be ended; it is tried again at the next start: {Job}; {Summary}")]
    public static partial void RecoveryIncomplete(this ILogger logger, JobContext job, string summary);

    [LoggerMessage(EventId = 213, Level = LogLevel.Error, Message = "The audit has not taken by now how all credentials of the job ended; the log of the job's end says it: {Job}")]
    public static partial void EndsNotRecorded(this ILogger logger, JobContext job);

    [LoggerMessage(EventId = 214, Level = LogLevel.Information, Message = "{Target} gives what is reusable after the job: {ReusableAfterJob}; visible to operators: {VisibleToOperators}; tied to a human: {TiedToHuman}")]
    public static partial void TargetExposure(this ILogger logger, string target, ExposureAnswer reusableAfterJob, ExposureAnswer visibleToOperators, ExposureAnswer tiedToHuman);

    [LoggerMessage(EventId = 215, Level = LogLevel.Warning, Message = "The journal {Path} {Found}, and its job runs; {Next} holds now what it held: {Job} ({Code})")]
    public static partial void JournalLost(this ILogger logger, JobContext job, string path, string found, string next, string code);

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "Refresh of {Target} failed ({Code}, flight {FlightId}); {Held}")]
    public static partial void RefreshFailed(this ILogger logger, string target, string code, Guid flightId, string held);

    [LoggerMessage(EventId = 302, Level = LogLevel.Information, Message = "A credential of {Target} was rejected by the target and is handed out no more: {Fingerprint}")]
    public static partial void Rejected(this ILogger logger, string target, string fingerprint);

    [LoggerMessage(EventId = 303, Level = LogLevel.Information, Message = "The proof for {Target} says otherwise than the job is declared: {Difference}. What is declared is told as said by the configuration alone; name it as the platform does, or leave it out, to have it attested; AttestedFacts refuses the difference")]
    public static partial void ProofDiffersFromJob(this ILogger logger, string target, string difference);

    [LoggerMessage(EventId = 304, Level = LogLevel.Warning, Message = "The exchange for {Target} failed ({Code}, flight {FlightId}): {Reason}")]
    public static partial void ExchangeFailed(this ILogger logger, string target, string code, Guid flightId, string reason);

    [LoggerMessage(EventId = 401, Level = LogLevel.Warning, Message = "An exchange of {Target} came to its end after nobody waited for it any more: {ExceptionType} (flight {FlightId})")]
    public static partial void LateExchangeFailed(this ILogger logger, string target, string exceptionType, Guid flightId);

    [LoggerMessage(EventId = 402, Level = LogLevel.Error, Message = "The audit could not record {Kind} of {Target} (flight {FlightId}): {ExceptionType}")]
    public static partial void AuditFailed(this ILogger logger, AuditEventKind? kind, string? target, Guid? flightId, string exceptionType);

    [LoggerMessage(EventId = 403, Level = LogLevel.Warning, Message = "{Target} uses a static key, {Secret} of {Owner}, which is refused from {Until:u} on, in {DaysLeft} days: reach the service without one until then")]
    public static partial void StaticKeyEnds(this ILogger logger, string target, string secret, string owner, DateTimeOffset until, int daysLeft);

    [LoggerMessage(EventId = 404, Level = LogLevel.Error, Message = "{Target} has a static key, {Secret} of {Owner}, which is refused since {Until:u} (NHI3004)")]
    public static partial void StaticKeyOver(this ILogger logger, string target, string secret, string owner, DateTimeOffset until);

    [LoggerMessage(EventId = 601, Level = LogLevel.Information, Message = "Policy {Path} is in force: revision {PolicyRevision}, {Count} rules")]
    public static partial void PolicyInForce(this ILogger logger, string path, string policyRevision, int count);

    [LoggerMessage(EventId = 602, Level = LogLevel.Warning, Message = "Policy {Path} only observes (revision {PolicyRevision}): everything is permitted, and the audit says what would have been decided")]
    public static partial void PolicyOnlyObserves(this ILogger logger, string path, string policyRevision);

    [LoggerMessage(EventId = 603, Level = LogLevel.Error, Message = "Policy {Path} as it is now is refused, and revision {PolicyRevision} stays in force: {Reason}")]
    public static partial void PolicyRefused(this ILogger logger, string path, string policyRevision, string reason);

    [LoggerMessage(EventId = 604, Level = LogLevel.Information, Message = "Policy {Path} is again as it is in force: revision {PolicyRevision}")]
    public static partial void PolicyIsBack(this ILogger logger, string path, string policyRevision);

    [LoggerMessage(EventId = 605, Level = LogLevel.Information, Message = "Changes of policy {Path} are not told by the system ({ExceptionType}); it is looked at every 5 seconds")]
    public static partial void PolicyIsNotWatched(this ILogger logger, string path, string exceptionType);

    [LoggerMessage(EventId = 606, Level = LogLevel.Information, Message = "{Target} has a MaxLifetime of {MaxLifetime}; rule {Rule} of policy {PolicyRevision} permits {LongestHandOut} at most, which is what counts")]
    public static partial void PolicyShortensTarget(this ILogger logger, string target, TimeSpan maxLifetime, TimeSpan longestHandOut, string rule, string policyRevision);

    [LoggerMessage(EventId = 607, Level = LogLevel.Warning, Message = "{Target} will be denied: {Setting} is not said, and policy {PolicyRevision} permits it only with it (rules {Rules})")]
    public static partial void PolicyNeedsFact(this ILogger logger, string target, string setting, string policyRevision, string rules);

    [LoggerMessage(EventId = 608, Level = LogLevel.Warning, Message = "{Target} will be denied: no rule of policy {PolicyRevision} permits a target of that name; {Nearest}")]
    public static partial void NoPermitForTarget(this ILogger logger, string target, string policyRevision, string nearest);
}
