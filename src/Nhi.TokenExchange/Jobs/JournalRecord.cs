namespace Nhi.TokenExchange;

/// <summary>An entry of a running job's journal, with its lines.</summary>
/// <param name="Entry">What is known.</param>
/// <param name="Text">The lines: of the entry, and, where it has ended and the audit does not know, of that.</param>
/// <param name="Credential">What was issued; null while it was not.</param>
internal sealed record JournalRecord(JournalEntry Entry, byte[] Text, Credential? Credential)
{
    /// <summary>What it is at its issuer: its handle, or without one its fingerprint. Null: not known yet.</summary>
    public (string Target, string Thing)? Thing => (Entry.Handle ?? Entry.Fingerprint) is { } thing ? (Entry.Target, thing) : null;

    /// <exception cref="IOException">The line is too long.</exception>
    public static JournalRecord Of(JournalEntry entry, Credential? credential) => new(entry, entry.Untold is { } untold ? [.. JournalText.Of(entry), .. JournalText.OfUntold(entry.Number, untold)] : JournalText.Of(entry), credential);
}

/// <summary>When a credential ends.</summary>
/// <param name="UnusableFrom">From when it is handed out no more.</param>
/// <param name="DiesAt">When it dies at its issuer.</param>
internal readonly record struct JournalEnd(DateTimeOffset UnusableFrom, DateTimeOffset DiesAt);
