using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads a JSON array of texts, or one text.</summary>
internal static class JsonTexts
{
    private const int Most = 1000;

    /// <summary>The text; null if it is anything else. As the one text of a list: one reader for all.</summary>
    public static string? ReadOne(ReadOnlySpan<byte> json) => json is [(byte)'"', ..] && Read([(byte)'[', .. json, (byte)']']) is [var text] ? text : null;

    /// <summary>The texts; null if it is anything else, or longer than any honest list.</summary>
    public static List<string>? Read(ReadOnlySpan<byte> json)
    {
        var texts = new List<string>();
        var reader = new Utf8JsonReader(json);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.String && texts.Count < Most)
                texts.Add(reader.GetString()!);
            return reader.TokenType == JsonTokenType.EndArray ? texts : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // invalid UTF-8 and lone surrogates are the latter
        {
            return null;
        }
    }
}
