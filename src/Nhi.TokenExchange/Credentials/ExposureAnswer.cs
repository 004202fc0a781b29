namespace Nhi.TokenExchange;

/// <summary>The answer to one question about a credential, with the fact that it comes from. What is not known counts as yes, and the reason says so.</summary>
public sealed class ExposureAnswer
{
    // Of each reason that says no fact: nobody knows.
    private const string NotKnown = "it is not known";

    private ExposureAnswer(bool isYes, string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        IsYes = isYes;
        Reason = reason;
    }

    /// <summary>Whether it is so, or is not known not to be.</summary>
    public bool IsYes { get; }

    /// <summary>Why: one sentence, without a full stop. Never a token.</summary>
    public string Reason { get; }

    /// <summary>It is so, or nobody knows.</summary>
    /// <param name="reason">The fact, as a sentence without a full stop. Where nobody knows, it begins with <c>it is not known</c>, and is told as that.</param>
    public static ExposureAnswer Yes(string reason) => new(true, reason);

    /// <summary>It is not so.</summary>
    /// <param name="reason">The fact, as a sentence without a full stop.</param>
    public static ExposureAnswer No(string reason) => new(false, reason);

    /// <summary>The word and its reason: <c>yes: …</c>, <c>no: …</c>, or <c>not known, which counts as yes: …</c>.</summary>
    public override string ToString() =>
        !IsUnknown ? $"{Word}: {ExceptionText.Clean(Reason, 300)}"
        : Reason.Length == NotKnown.Length ? "not known, which counts as yes" : $"not known, which counts as yes: {ExceptionText.Clean(Reason[NotKnown.Length..].TrimStart(' ', ':'), 300)}";

    internal string Word => IsUnknown ? "not known (counts as yes)" : IsYes ? "yes" : "no";

    private bool IsUnknown => IsYes && Reason.StartsWith(NotKnown, StringComparison.Ordinal);
}
