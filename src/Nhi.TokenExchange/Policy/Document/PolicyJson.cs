using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Nhi.TokenExchange;

/// <summary>Reads strict JSON (RFC 8259) into nodes that know their place. No comments, no comma at an end, no name twice: what two readers could read differently is refused.</summary>
internal ref struct PolicyJson
{
    // A rule's deepest value is at six.
    private const int MaxDepth = 12;

    private static readonly IReadOnlyList<(string, PolicyNode)> None = [];

    private readonly ReadOnlySpan<byte> _utf8;
    private readonly PolicyErrors _errors;
    private readonly List<int> _lineStarts;
    private Utf8JsonReader _reader;

    private PolicyJson(ReadOnlySpan<byte> utf8, PolicyErrors errors)
    {
        _utf8 = utf8;
        _errors = errors;
        _lineStarts = [0];
        for (int at = 0; at < utf8.Length; at++)
        {
            if (utf8[at] == '\n')
                _lineStarts.Add(at + 1);
        }
        _reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>Reads a document; null if it is none, which is noted.</summary>
    public static PolicyNode? Read(ReadOnlySpan<byte> utf8, PolicyErrors errors)
    {
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            utf8 = utf8[Encoding.UTF8.Preamble.Length..];
        var json = new PolicyJson(utf8, errors);
        if (utf8.IndexOfAnyExcept(" \t\r\n"u8) < 0)
            json.Add(0, "is empty", "Write a document with rules; { \"version\": 1, \"revision\": 1, \"rules\": [] } denies everything.");
        else if (!Utf8.IsValid(utf8))
            json.Add(json.FirstInvalid(), "is not UTF-8 from here on", "Save the file as UTF-8.");
        else
            return json.ReadDocument();
        return null;
    }

    private PolicyNode? ReadDocument()
    {
        try
        {
            _reader.Read();
            PolicyNode root = ReadValue("");
            _reader.Read();   // anything behind it is refused
            return root;
        }
        catch (JsonException broken)
        {
            // Positions are of bytes, and count from 0.
            int at = Math.Min(_utf8.Length, _lineStarts[(int)Math.Min(broken.LineNumber ?? 0, _lineStarts.Count - 1)] + (int)(broken.BytePositionInLine ?? 0));
            if (_utf8[at..].IndexOfAnyExcept(" \t\r\n"u8) < 0)
                Add(at, "ends before the document does: it looks cut", "Write it whole; replace a file as a whole, by renaming another over it.");
            else if (_reader.CurrentDepth >= MaxDepth - 1)
                Add(at, "is nested more deeply than any rule is", "Compare it with the page of the policy language.");
            else
                Add(at, "is no JSON from here on", "Correct it: no comments, no comma behind the last entry, texts in double quotes.");
        }
        return null;
    }

    private PolicyNode ReadValue(string path)
    {
        PolicyPlace place = PlaceOf((int)_reader.TokenStartIndex);
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return new PolicyNode(PolicyNodeKind.Object, path, place, null, ReadMembers(path));
            case JsonTokenType.StartArray:
                return new PolicyNode(PolicyNodeKind.List, path, place, null, ReadEntries(path));
            case JsonTokenType.String:
                return new PolicyNode(PolicyNodeKind.Text, path, place, ReadText(path), None);
            case JsonTokenType.Number:
                return new PolicyNode(PolicyNodeKind.Number, path, place, Encoding.UTF8.GetString(_reader.ValueSpan), None);
            case JsonTokenType.True or JsonTokenType.False:
                return new PolicyNode(PolicyNodeKind.Truth, path, place, _reader.TokenType == JsonTokenType.True ? "true" : "false", None);
            default:
                return new PolicyNode(PolicyNodeKind.Null, path, place, null, None);
        }
    }

    private List<(string, PolicyNode)> ReadMembers(string path)
    {
        var members = new List<(string Name, PolicyNode Value)>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndObject)
        {
            PolicyPlace place = PlaceOf((int)_reader.TokenStartIndex);
            string name = ReadText(path);
            string at = path.Length == 0 ? name : $"{path}.{name}";
            _reader.Read();
            PolicyNode value = ReadValue(at);
            if (lines.TryAdd(name, place.Line))
                members.Add((name, value));
            else
                _errors.Add(place, at, string.Create(CultureInfo.InvariantCulture, $"is there twice, here and in line {lines[name]}"), "Leave one of them.");
        }
        return members;
    }

    private List<(string, PolicyNode)> ReadEntries(string path)
    {
        var entries = new List<(string, PolicyNode)>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
            entries.Add(("", ReadValue(string.Create(CultureInfo.InvariantCulture, $"{path}[{entries.Count}]"))));
        return entries;
    }

    private string ReadText(string path)
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException)   // an escaped half of a surrogate pair
        {
            _errors.Add(PlaceOf((int)_reader.TokenStartIndex), path, "has half a character (a lone surrogate)", "Write the character itself.");
            return "";
        }
    }

    private readonly void Add(int at, string what, string remedy) => _errors.Add(PlaceOf(at), "", what, remedy);

    private readonly int FirstInvalid()
    {
        int at = 0;
        while (Rune.DecodeFromUtf8(_utf8[at..], out _, out int length) == System.Buffers.OperationStatus.Done)
            at += length;
        return at;
    }

    private readonly PolicyPlace PlaceOf(int at)
    {
        int line = _lineStarts.BinarySearch(at);
        line = line < 0 ? ~line - 1 : line;
        return new PolicyPlace(line + 1, Encoding.UTF8.GetCharCount(_utf8[_lineStarts[line]..at]) + 1);
    }
}
