using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Why a job ended: what the audit of its leases says, and what callers are told from then on.</summary>
/// <param name="Reason">For the audit.</param>
/// <param name="Code">The code of the error.</param>
/// <param name="Message">Its sentence.</param>
/// <param name="Hint">What to do.</param>
internal sealed record EndCause(string Reason, string Code, string Message, string Hint)
{
    // One line of the log, short enough to be read.
    private const int LongestReason = 200;

    // What is looked through for a secret: more than is shown, so that none is shown by halves.
    private const int MostRead = 2000;

    /// <summary>It was done, or its process is.</summary>
    public static EndCause Completed { get; } =
        new("the job ended", ErrorCodes.JobEnded, "The job has ended; nothing is handed out any more.", "Use credentials within the life of their JobSession.");

    /// <summary>It was ended before its time.</summary>
    /// <param name="by">Who did it.</param>
    /// <param name="reason">Why; anybody's text.</param>
    public static EndCause Revoked(string by, string reason)
    {
        string why = WhyOf(by, reason);
        return new($"the job was {why}", ErrorCodes.JobRevoked, $"The job was {why}; nothing is handed out any more.", "Stop the job, and find out whether it may be started again.");
    }

    /// <summary>It had run as long as it may.</summary>
    /// <param name="limit">How long that is.</param>
    public static EndCause TooLong(TimeSpan limit)
    {
        string shown = limit.ToString("c", CultureInfo.InvariantCulture);
        return new($"the job had run for its MaxDuration of {shown}", ErrorCodes.JobTookTooLong, $"The job has run for its MaxDuration of {shown}; nothing is handed out any more.", "Make the job shorter, or its MaxDuration longer.");
    }

    /// <summary>Who revoked and why, in one line. A reason that looks like a secret is not repeated.</summary>
    public static string WhyOf(string by, string reason)
    {
        string line = (reason.Length > MostRead ? reason[..MostRead] : reason).Trim();
        line = line.IndexOfAny(['\r', '\n']) is >= 0 and int end ? line[..end] : line;
        bool isSecret = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Append(line).Any(word => SecretSmell.FormOf(word) is not null);
        string shown = line.Length == 0 ? "no reason was given" : isSecret ? "the reason looks like a secret and is not repeated" : ExceptionText.Clean(line, LongestReason);
        return $"revoked by {by}: {shown}";
    }

    public TokenExchangeException ErrorFor(string target) => new(Code, ExchangeStage.JobEnded, Message) { Target = target, Hint = Hint };
}
