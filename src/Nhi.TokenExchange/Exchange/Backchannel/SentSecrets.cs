using System.Diagnostics;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>The proofs, assertions and tokens of one call: what an answer must not bring back into a message, however it echoes them.</summary>
internal sealed class SentSecrets
{
    // Shorter ones guard nothing, and taking them out would black out words.
    private const int Shortest = 8;

    // Base64 of so many characters in a row is nobody's by chance.
    private const int Piece = 16;

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly HashSet<string> _values = new(StringComparer.Ordinal);

    public void Add(string value)
    {
        if (value.Length >= Shortest)
            _values.Add(value);
    }

    /// <summary>Every text in an answer whose secrets only its engine knows, as far as there is any. What can't be read is noted where its members are.</summary>
    public SentSecrets AddTextsOf(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.String && TextOf(reader) is { } text)
                    Add(text);
            }
        }
        catch (JsonException)
        {
            return this;
        }
        return this;
    }

    /// <summary>The text without them, as they are and percent-encoded as they went over the wire.</summary>
    public string TakenOutOf(string text)
    {
        foreach (string value in _values)
        {
            text = text.Replace(value, OuterText.Redacted, StringComparison.Ordinal);
            string encoded = Uri.EscapeDataString(value);
            if (encoded.Length != value.Length)
                text = text.Replace(encoded, OuterText.Redacted, StringComparison.OrdinalIgnoreCase);   // %2F or %2f
        }
        return text;
    }

    /// <summary>Whether a name has one of them in it or a piece of one, or is a part of one.</summary>
    public bool Meet(string name) => TakenOutOf(name) != name || HasPart(name) || HasPieceIn(name);

    private static string? TextOf(in Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString();
        }
        catch (InvalidOperationException)   // no valid Unicode: nobody else can read it either
        {
            return null;
        }
    }

    // Every eighth place is enough for what is 23 characters long or more.
    private bool HasPieceIn(ReadOnlySpan<char> name)
    {
        for (int at = 0; at + Piece <= name.Length; at += Piece / 2)
        {
            if (HasPart(name.Slice(at, Piece)))
                return true;
        }
        return false;
    }

    /// <summary>Whether a piece of a text is a part of one of them: an issuer may cut what it echoes.</summary>
    public bool HasPart(ReadOnlySpan<char> piece)
    {
        if (piece.Length < Shortest)
            return false;
        foreach (string value in _values)
        {
            if (value.AsSpan().Contains(piece, StringComparison.Ordinal))
                return true;
        }
        return false;
    }
}
