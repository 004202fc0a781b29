using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>All log lines of this package; event ids from 900.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 901, Level = LogLevel.Information, Message = "The broker listens on {Address} and hands out {Targets}")]
    public static partial void BrokerStarted(this ILogger logger, string address, string targets);

    [LoggerMessage(EventId = 902, Level = LogLevel.Debug, Message = "{Target} handed to {Caller}: credential {Fingerprint}, until {UnusableFrom:u}")]
    public static partial void HandedOut(this ILogger logger, string target, CredentialCaller caller, string fingerprint, DateTimeOffset unusableFrom);

    [LoggerMessage(EventId = 903, Level = LogLevel.Warning, Message = "Refused with {Status}: {Reason} ({Protocol}; asked by {Caller})")]
    public static partial void Refused(this ILogger logger, int status, string reason, string protocol, string caller);

    [LoggerMessage(EventId = 904, Level = LogLevel.Information, Message = "{Caller} is gone ({Why}): {Count} credentials are ended")]
    public static partial void CallerGone(this ILogger logger, CredentialCaller caller, string why, int count);

    [LoggerMessage(EventId = 905, Level = LogLevel.Warning, Message = "Credential {Fingerprint} of {Caller} could not be ended now ({Failure}); the job's end tries again")]
    public static partial void NotEnded(this ILogger logger, string fingerprint, CredentialCaller caller, string failure);

    [LoggerMessage(EventId = 906, Level = LogLevel.Information, Message = "The broker stopped: {Why}")]
    public static partial void BrokerStopped(this ILogger logger, string why);

    [LoggerMessage(EventId = 907, Level = LogLevel.Error, Message = "A request failed by a fault of the broker: {Kind}")]
    public static partial void BrokerFault(this ILogger logger, string kind);

    [LoggerMessage(EventId = 908, Level = LogLevel.Warning, Message = "{Count} more were refused within a minute; the metrics count each")]
    public static partial void MoreRefused(this ILogger logger, int count);

    [LoggerMessage(EventId = 909, Level = LogLevel.Warning, Message = "{Count} lines of the broker were lost here: too many waited for the log")]
    public static partial void LinesLost(this ILogger logger, long count);

    [LoggerMessage(EventId = 910, Level = LogLevel.Warning, Message = "Files of the broker could not be removed from {Folder}: take away what is left there")]
    public static partial void FilesLeft(this ILogger logger, string folder);
}
