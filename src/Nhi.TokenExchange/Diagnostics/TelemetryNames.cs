namespace Nhi.TokenExchange;

/// <summary>The one table of what traces and metrics are called; the page "Traces and metrics" shows it to users. Names are stable; nothing but these tags is ever set.</summary>
internal static class TelemetryNames
{
    /// <summary>Of the activity source and of the meter.</summary>
    public const string Source = "Nhi.TokenExchange";

    public const string Flight = "nhi.flight";

    public const string Anchor = "nhi.audit.anchor";

    public const string Issued = "nhi.credential.issued";
    public const string Refreshed = "nhi.credential.refreshed";
    public const string Rejected = "nhi.credential.rejected";
    public const string Ended = "nhi.credential.ended";
    public const string Live = "nhi.credential.live";
    public const string TimeLeft = "nhi.credential.time_left";
    public const string ExchangeDuration = "nhi.exchange.duration";
    public const string Failures = "nhi.exchange.failures";
    public const string Denials = "nhi.exchange.denials";
    public const string AuditDropped = "nhi.audit.dropped";
    public const string LogDropped = "nhi.log.dropped";

    // The allow-list of tags. Each but the anchor has few values: names from the configuration, and words and codes from this library.
    public const string TargetTag = "nhi.target";
    public const string KindTag = "nhi.credential.kind";
    public const string StageTag = "nhi.stage";
    public const string OutcomeTag = "nhi.outcome";
    public const string AnchorTag = "nhi.audit.anchor";   // of traces alone: each is another
    public const string ErrorTag = "error.type";   // OpenTelemetry's own name

    /// <summary>The outcome of a flight that failed at the target that it goes through.</summary>
    public const string HopFailed = "hop_failed";

    public static string? Version { get; } = typeof(TelemetryNames).Assembly.GetName().Version?.ToString(3);

    public static string OfActivity(ExchangeStage stage) => $"nhi.{Of(stage)}";

    public static string Of(ExchangeStage stage) => stage switch
    {
        ExchangeStage.Configure => "configure",
        ExchangeStage.Attest => "attest",
        ExchangeStage.Authorize => "authorize",
        ExchangeStage.Record => "record",
        ExchangeStage.Exchange => "exchange",
        ExchangeStage.Verify => "verify",
        ExchangeStage.Revoke => "revoke",
        _ => "job_ended",
    };

    public static string Of(LeaseEnd end) => end switch
    {
        LeaseEnd.Revoked => "revoked",
        LeaseEnd.AlreadyGone => "already_gone",
        LeaseEnd.CannotBeRevoked => "cannot_be_revoked",
        LeaseEnd.LivesOn => "lives_on",
        _ => "failed",
    };

    /// <summary>The code of our own errors; of what a plug-in threw the type, as OpenTelemetry has it. Never a text.</summary>
    public static string Of(Exception exception) => (exception as TokenExchangeException)?.Code ?? exception.GetType().FullName ?? exception.GetType().Name;
}
