using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Goes through the members of one JSON object strictly: depth at most 16, no member twice, nothing behind it.</summary>
/// <remarks>Throws nothing: what is wrong is noted, and reading goes on as far as it can. A token that was understood has been issued and has to be ended.</remarks>
internal ref struct JsonMembers
{
    private const int MaxDepth = 16;
    private const int UsualMembers = 7;   // those of an answer or a token: the set of their names need not grow

    private readonly ReadOnlySpan<byte> _json;
    private readonly SentSecrets? _sent;
    private readonly HashSet<string> _seen = new(UsualMembers, StringComparer.Ordinal);
    private Utf8JsonReader _reader;
    private string? _fault;
    private string? _twice;
    private bool _isValueRead = true;
    private bool _isStarted;
    private bool _isBroken;

    /// <param name="json">The object.</param>
    /// <param name="sent">What a name in a fault must not repeat, beside what looks like a token: what was sent, and, once it was read, what came.</param>
    public JsonMembers(ReadOnlySpan<byte> json, SentSecrets? sent = null)
    {
        _json = json;
        _sent = sent;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>The name of the member at hand.</summary>
    public string Name { get; private set; } = "";

    /// <summary>The first thing that was wrong; null if nothing was. Quotes no value. To be asked when the secrets that came are known as such: one may be a name, too.</summary>
    public readonly string? Fault => _twice is null ? _fault : $"has '{OuterText.Shown(_twice, 40, _sent)}' twice";

    /// <summary>Goes to the next member. Of a member that stands twice the first is given.</summary>
    /// <returns>False at the end of the object, or where it can't be read on.</returns>
    public bool MoveNext()
    {
        try
        {
            if (!_isStarted && (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject))
                return Stop("is not a JSON object");
            _isStarted = true;
            while (true)
            {
                if (!_isValueRead)
                    Raw();
                if (_isBroken)
                    return false;
                _reader.Read();   // throws where the text is cut off
                if (_reader.TokenType == JsonTokenType.EndObject)
                {
                    _reader.Read();   // throws where it goes on
                    return false;
                }
                Name = String() ?? "";
                _reader.Read();
                _isValueRead = false;
                if (_seen.Add(Name))
                    return true;
                if (_fault is null)
                    _twice ??= Name;
            }
        }
        catch (JsonException)
        {
            return Stop("is not well-formed JSON, or is nested too deep");
        }
    }

    /// <summary>Whether the value is <c>null</c>, which counts as absent.</summary>
    public readonly bool IsNull => _reader.TokenType == JsonTokenType.Null;

    /// <summary>The value if it is a string; null if it is null, or with a fault if it is something else.</summary>
    public string? Text()
    {
        if (_reader.TokenType == JsonTokenType.String)
            return String();
        if (_reader.TokenType != JsonTokenType.Null)
            Note($"has '{Name}' that is no string");
        return null;
    }

    /// <summary>The value if it is a string, or a number as it stands; null if it is anything else.</summary>
    public string? TextOrNumber() => _reader.TokenType switch
    {
        JsonTokenType.String => String(),
        JsonTokenType.Number when _reader.ValueSpan.Length <= 40 => Encoding.ASCII.GetString(_reader.ValueSpan),
        _ => null,
    };

    /// <summary>The value if it is a whole number, or a string of digits as some issuers write it; null if it is null, or with a fault if it is something else.</summary>
    public long? WholeNumber()
    {
        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out long number))
            return number;
        if (_reader.TokenType == JsonTokenType.String && long.TryParse(String(), NumberStyles.None, CultureInfo.InvariantCulture, out long written))
            return written;
        if (_reader.TokenType != JsonTokenType.Null)
            Note($"has '{Name}' that is no whole number of 64 bits");
        return null;
    }

    /// <summary>The value as it stands; empty with a fault if it can't be read to its end.</summary>
    public ReadOnlySpan<byte> Raw()
    {
        _isValueRead = true;
        int start = (int)_reader.TokenStartIndex;
        try
        {
            _reader.Skip();
            return _json[start..(int)_reader.BytesConsumed];
        }
        catch (JsonException)
        {
            Note("is not well-formed JSON, or is nested too deep");
            _isBroken = true;
            return default;
        }
    }

    /// <summary>The value as it stands; what there is of it, with a fault, where it is cut off.</summary>
    public ReadOnlySpan<byte> RawAsFarAsItGoes()
    {
        int start = (int)_reader.TokenStartIndex;
        ReadOnlySpan<byte> whole = Raw();
        return _isBroken ? _json[start..] : whole;
    }

    // Invalid UTF-8 and lone surrogates are InvalidOperationException there.
    private string? String()
    {
        try
        {
            return _reader.GetString();
        }
        catch (InvalidOperationException)
        {
            Note("has a string that is not valid Unicode");
            return null;
        }
    }

    private bool Stop(string fault)
    {
        Note(fault);
        return false;
    }

    private void Note(string fault)
    {
        if (_twice is null)
            _fault ??= fault;
    }
}
