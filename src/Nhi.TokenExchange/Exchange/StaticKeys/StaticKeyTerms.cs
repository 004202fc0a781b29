using System.Buffers;
using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>How long a static key may be used on, and who is told when that comes to its end.</summary>
internal sealed class StaticKeyTerms(StaticKeyUse use)
{
    public const string OwnerRemedy = "Write who answers for the key, such as a team and its address: 1 to 200 visible characters.";

    /// <summary>A transition has a date that somebody alive has to move.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>Log and health warn from then on.</summary>
    public static readonly TimeSpan Notice = TimeSpan.FromDays(30);

    private const int LongestOwner = 200;

    // More is a document, and no key. Key Vault takes 25 KB.
    private const int LongestKey = 32 * 1024;

    // What a decoder puts where bytes were not of its encoding, and control characters but for those of lines.
    private static readonly SearchValues<char> InNoKey = SearchValues.Create([.. Enumerable.Range(0, 128).Select(c => (char)c).Where(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r')), '\ufffd']);

    // Days on which it was told that the end is near, or has come. All sessions of a composition share it.
    private readonly ConcurrentDictionary<(long Day, bool IsOver), bool> _told = new();

    public static string? FaultOfOwner(string? owner) =>
        string.IsNullOrWhiteSpace(owner) ? "is missing"
        : owner.Length > LongestOwner ? "is too long"
        : owner.Any(char.IsControl) ? "has a control character"
        : null;

    /// <summary>What keeps a text from being a key, wherever it goes; null if nothing does. Quotes nothing of it.</summary>
    public static string? FaultOfKey(string key)
    {
        if (key.Length is 0 or > LongestKey)
            return FormattableString.Invariant($"has {key.Length} characters; 1 to {LongestKey} are taken");
        int odd = key.AsSpan().IndexOfAny(InNoKey);
        // One line with a break behind it was a file; a service takes the break for a part of the key.
        ReadOnlySpan<char> line = key.AsSpan().TrimEnd("\r\n");
        if (odd < 0 && line.Length < key.Length && !line.Contains('\n'))
            return "ends in a line break: store it without one";
        return odd < 0 ? null : FormattableString.Invariant($"has a character at position {odd} that no key has");
    }

    public bool IsOver(DateTimeOffset now) => now >= use.Until;

    public bool IsNearItsEnd(DateTimeOffset now) => use.Until - now <= Notice;

    /// <summary>Whole days that are left.</summary>
    public int DaysLeft(DateTimeOffset now) => Math.Max(0, (int)(use.Until - now).TotalDays);

    /// <exception cref="TokenExchangeException">Its time is over.</exception>
    public void ThrowIfOver(TimeProvider time)
    {
        if (!IsOver(time.GetUtcNow()))
            return;
        throw new TokenExchangeException(ErrorCodes.StaticKeyOver, ExchangeStage.Authorize, FormattableString.Invariant($"The static key at {use.Secret} was permitted until {use.Until:O}, which is past. It is not read."))
        {
            Hint = $"Reach the service without a static key; else its owner, {use.Owner}, has to agree to a later Until, in the target's settings.",
        };
    }

    /// <summary>Tells of an end that is near, or past: each once a day in a process.</summary>
    public void Tell(string target, DateTimeOffset now, ILogger logger)
    {
        bool isOver = IsOver(now);
        if (!IsNearItsEnd(now) || !_told.TryAdd((now.UtcTicks / TimeSpan.TicksPerDay, isOver), true))
            return;
        if (isOver)
            logger.StaticKeyOver(target, use.Secret, use.Owner, use.Until);
        else
            logger.StaticKeyEnds(target, use.Secret, use.Owner, use.Until, DaysLeft(now));
    }
}
