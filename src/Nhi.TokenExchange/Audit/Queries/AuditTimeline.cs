using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Tells the story of a job, or of several, for people: one line an event, with the time since the session's start. Visible ASCII alone, whatever the trail says.</summary>
/// <remarks>
/// A session is headed by its own job. What it tells of a credential that an earlier job left behind says of which job and session that is. Lines stand in the order in which they were recorded, which is the chain's;
/// the time of each is when it happened. Of what happens side by side, the earlier may be recorded later.
/// </remarks>
/// <param name="writer">Where the lines go.</param>
/// <param name="which">Whose story: such as <c>one =&gt; one.Job.Run == "4711"</c>. Null: everybody's.</param>
public sealed class AuditTimeline(TextWriter writer, Func<AuditEvent, bool>? which = null)
{
    // What slewing makes of two clocks that are read one after the other.
    private static readonly TimeSpan Drift = TimeSpan.FromSeconds(1);

    private Guid? _session;
    private DateTimeOffset _start;

    /// <summary>Takes the next event, and writes it if it is one of those that are asked for: for <see cref="AuditTrail.Verify"/>.</summary>
    /// <param name="record">The event.</param>
    public void Add(AuditRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        AuditEvent told = record.Event;
        if (which is not null && !which(told))
            return;
        DateTimeOffset start = told.At - told.Elapsed;
        if (_session != told.SessionId)
        {
            _session = told.SessionId;
            _start = start;
            JobContext own = IsOfAnother(told) ? record.Recorder : told.Job;
            writer.WriteLine($"{Instant(start)} {AuditText.Shown(own.ToString(), 500)} [session {told.SessionId:D}]");
        }
        string set = (start - _start).Duration() > Drift ? $" [the wall clock was set by {Span(start - _start)}]" : "";
        _start = start;
        string target = told.Target.Length == 0 ? "" : $"{Shown(told.Target)} ";
        writer.WriteLine($"  {Span(told.Elapsed)} {target}{Word(told.Kind)}{Detail(told)}{(IsOfAnother(told) ? $" [left behind by {AuditText.Shown(told.Job.ToString(), 500)}, session {told.FlightSession:D}]" : "")}{set}{(record.IsBehindFault ? " [behind a fault of its chain]" : "")}");
    }

    // What is of no flight is the whole job's; a trail that does not say its sessions tells of no other.
    private static bool IsOfAnother(AuditEvent told) => told.FlightId != Guid.Empty && told.SessionId != Guid.Empty && told.IsToldByAnotherSession;

    private static string Detail(AuditEvent told)
    {
        string what = told.Kind switch
        {
            AuditEventKind.Attested => $": {Shown(told.Subject)} of {Shown(told.SubjectIssuer)}, proof {Shown(told.SubjectFingerprint)}{(told.Through is null ? "" : $", through {Shown(told.Through)}")}{(told.IsAPersons ? ", a person's" : told.WorkloadIsAsserted ? ", by the configuration's word" : "")}",
            AuditEventKind.Permitted or AuditEventKind.Denied => $"{(told.IsObserved ? ", observing" : "")} by rule {Shown(told.Rule)} of {Shown(told.PolicyRevision)}{Scopes(", scopes", told.Scopes)}{(told.RequestedScopes == told.Scopes ? "" : Scopes(", requested", told.RequestedScopes))}",
            AuditEventKind.Exchanging => $" at {Shown(told.Issuer)}{Scopes(", scopes", told.Scopes)}",
            AuditEventKind.Issued or AuditEventKind.Refreshed or AuditEventKind.Renewed => $": {Shown(told.Fingerprint)}{Scopes(", scopes", told.Scopes)}, unusable from {Ends(told, told.UnusableFrom)}, dies at {Ends(told, told.DiesAt)}",
            AuditEventKind.Orphaned => $": {Shown(told.Fingerprint)} lives on, dies at {Ends(told, told.DiesAt)}",
            AuditEventKind.CallerRefused => told.Caller is null ? "" : $", {Shown(told.Caller.ToString())}",
            AuditEventKind.Revoked or AuditEventKind.Expired => $": {Shown(told.Fingerprint)}",
            _ => "",
        };
        string code = told.Code is null ? "" : $" {Shown(told.Code)}";
        string reason = told.Reason is null ? "" : $": {AuditText.Shown(told.Reason, 300)}";
        return what + code + reason + (told.CorrelationId is null ? "" : $" [{Shown(told.CorrelationId)}]");
    }

    private static string Scopes(string what, ScopeSet scopes) => scopes.IsEmpty ? "" : $"{what} {Shown(scopes.ToString())}";

    // Relative as all times are: an end counts from the session's start, too.
    private static string Ends(AuditEvent told, DateTimeOffset? end) => end is { } known ? Span(told.Elapsed + (known - told.At)) : "its owner's word alone";

    private static string Word(AuditEventKind kind) => kind switch
    {
        AuditEventKind.JobCutShort => "the job is cut short",
        AuditEventKind.CallerRefused => "a caller is refused",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string Shown(string? text) => string.IsNullOrEmpty(text) ? "unknown" : AuditText.Shown(text);

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) => (span < TimeSpan.Zero ? "-" : "+") + span.ToString(span.Duration() < TimeSpan.FromDays(1) ? @"hh\:mm\:ss\.fff" : @"d\.hh\:mm\:ss\.fff", CultureInfo.InvariantCulture);
}
