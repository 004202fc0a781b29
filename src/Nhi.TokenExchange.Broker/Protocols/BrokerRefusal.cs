namespace Nhi.TokenExchange;

/// <summary>Why a request gets no credential. Each protocol says it in its own form.</summary>
internal enum RefusalKind
{
    /// <summary>A part of the request is missing, twice, or not as it must be.</summary>
    Malformed,

    /// <summary>A grant that is not spoken here.</summary>
    UnsupportedGrant,

    /// <summary>Who asks did not prove who he is.</summary>
    Unproven,

    /// <summary>The proof is another's, or over.</summary>
    WrongSubject,

    /// <summary>Who asks is not let in, or asks as nobody should.</summary>
    Forbidden,

    /// <summary>What is asked for is not handed out here.</summary>
    UnknownTarget,

    /// <summary>Scopes outside the target's.</summary>
    WiderScope,

    /// <summary>The policy denied it, or the job is over.</summary>
    Denied,

    /// <summary>No such path.</summary>
    NotFound,

    /// <summary>Another method than that of the path.</summary>
    WrongMethod,

    /// <summary>A body of another type.</summary>
    WrongMediaType,

    /// <summary>A body that is too large.</summary>
    TooLarge,

    /// <summary>A host that is not this one.</summary>
    WrongHost,

    /// <summary>Too often, or too much at once.</summary>
    TooMany,

    /// <summary>Worth another try.</summary>
    Unavailable,

    /// <summary>Not worth one.</summary>
    Failed,
}

#pragma warning disable CA1064 // It never leaves this assembly: every endpoint turns it into an answer.
/// <summary>Ends a request without a credential.</summary>
/// <remarks>An exception, so that each check is one line in the flow that it guards.</remarks>
/// <param name="kind">Why.</param>
/// <param name="message">What was expected and what came; never a token.</param>
internal sealed class BrokerRefusal(RefusalKind kind, string message) : Exception(message)
{
    public RefusalKind Kind => kind;

    /// <summary>When another try is worth it.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether SDKs ask so to find out what is here, before they prove anything.</summary>
    public bool IsOfProbe { get; init; }

    /// <summary>The HTTP status.</summary>
    public int Status => kind switch
    {
        RefusalKind.Unproven => 401,
        RefusalKind.Forbidden or RefusalKind.Denied => 403,
        RefusalKind.NotFound => 404,
        RefusalKind.WrongMethod => 405,
        RefusalKind.TooLarge => 413,
        RefusalKind.WrongMediaType => 415,
        RefusalKind.WrongHost => 421,
        RefusalKind.TooMany => 429,
        RefusalKind.Failed => 502,
        RefusalKind.Unavailable => 503,
        _ => 400,
    };

    /// <summary>The kind, in metrics.</summary>
    public string Word => kind switch
    {
        RefusalKind.Malformed => "malformed",
        RefusalKind.UnsupportedGrant => "unsupported_grant",
        RefusalKind.Unproven => "unproven",
        RefusalKind.WrongSubject => "wrong_subject",
        RefusalKind.Forbidden => "forbidden",
        RefusalKind.UnknownTarget => "unknown_target",
        RefusalKind.WiderScope => "wider_scope",
        RefusalKind.Denied => "denied",
        RefusalKind.NotFound => "not_found",
        RefusalKind.WrongMethod => "wrong_method",
        RefusalKind.WrongMediaType => "wrong_media_type",
        RefusalKind.TooLarge => "too_large",
        RefusalKind.WrongHost => "wrong_host",
        RefusalKind.TooMany => "too_many",
        RefusalKind.Unavailable => "unavailable",
        _ => "failed",
    };

    /// <summary>The <c>error</c> of RFC 6749 §5.2, RFC 8693 §2.2.2 and their like.</summary>
    public string OAuthCode => kind switch
    {
        RefusalKind.UnsupportedGrant => "unsupported_grant_type",
        RefusalKind.Unproven => "invalid_client",
        RefusalKind.WrongSubject => "invalid_grant",
        RefusalKind.UnknownTarget => "invalid_target",
        RefusalKind.WiderScope => "invalid_scope",
        RefusalKind.Denied or RefusalKind.Forbidden => "access_denied",
        RefusalKind.TooMany => "slow_down",
        RefusalKind.Unavailable => "temporarily_unavailable",
        RefusalKind.Failed => "server_error",
        _ => "invalid_request",
    };

    /// <summary>What a failed exchange means for who asked.</summary>
    public static BrokerRefusal Of(TokenExchangeException failure) => new(KindOf(failure), failure.Message) { RetryAfter = failure.RetryAfter };

    private static RefusalKind KindOf(TokenExchangeException failure) => failure switch
    {
        AccessDeniedException or { Stage: ExchangeStage.JobEnded } => RefusalKind.Denied,
        { Code: ErrorCodes.ScopeOutsideTarget } => RefusalKind.WiderScope,
        { IsTransient: true } => RefusalKind.Unavailable,
        _ => RefusalKind.Failed,
    };
}
