using System.Globalization;
using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Why a job ended: what the audit of its leases says, and what callers are told from then on.</summary>
/// <param name="Reason">For the audit.</param>
/// <param name="Code">The code of the error.</param>
/// <param name="Message">Its sentence.</param>
/// <param name="Hint">What to do.</param>
/// <param name="Shown">For the log of the job's end.</param>
internal sealed record EndCause(string Reason, string Code, string Message, string Hint, string Shown)
{
    // One line of the log, short enough to be read.
    private const int LongestReason = 200;

    // What is looked through for a secret: more than is shown, so that none is shown by halves.
    private const int MostRead = 2000;

    /// <summary>Its code said that it was done: <see cref="JobSession.CompleteAsync"/>.</summary>
    public static EndCause Completed { get; } = InOrder("completed");

    /// <summary>Its session was disposed, by its code, by an exception that left the block, or by its container.</summary>
    public static EndCause Disposed { get; } = InOrder("disposed");

    /// <summary>The host stopped, or the factory of the job was disposed.</summary>
    public static EndCause HostStopped { get; } = InOrder("host stop");

    /// <summary>The process ended: <see cref="Environment.Exit"/>, or its <c>Main</c> came back.</summary>
    public static EndCause Exited { get; } = InOrder("exit");

    /// <summary>Whether it was ended before its time.</summary>
    public bool IsCutShort => Code != ErrorCodes.JobEnded;

    /// <summary>The process got a signal.</summary>
    public static EndCause Signalled(PosixSignal signal) => InOrder(signal.ToString());

    /// <summary>Nobody caught an exception. Its message may hold anything; its type is told.</summary>
    public static EndCause Unhandled(object exception) => InOrder($"unhandled exception {exception.GetType().FullName}");

    /// <summary>It was ended before its time.</summary>
    /// <param name="by">Who did it.</param>
    /// <param name="reason">Why; anybody's text.</param>
    public static EndCause Revoked(string by, string reason)
    {
        string why = WhyOf(by, reason);
        return new($"the job was {why}", ErrorCodes.JobRevoked, $"The job was {why}; nothing is handed out any more.", "Stop the job, and find out whether it may be started again.", why);
    }

    /// <summary>It had run as long as it may.</summary>
    /// <param name="limit">How long that is.</param>
    public static EndCause TooLong(TimeSpan limit)
    {
        string shown = limit.ToString("c", CultureInfo.InvariantCulture);
        return new($"the job had run for its MaxDuration of {shown}", ErrorCodes.JobTookTooLong, $"The job has run for its MaxDuration of {shown}; nothing is handed out any more.", "Make the job shorter, or its MaxDuration longer.", $"MaxDuration of {shown}");
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

    private static EndCause InOrder(string how) =>
        new($"the job ended ({how})", ErrorCodes.JobEnded, "The job has ended; nothing is handed out any more.", "Use credentials within the life of their JobSession.", how);

    public TokenExchangeException ErrorFor(string target) => new(Code, ExchangeStage.JobEnded, Message) { Target = target, Hint = Hint };
}
