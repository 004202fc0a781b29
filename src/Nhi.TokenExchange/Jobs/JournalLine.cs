using System.Globalization;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>One line of a journal, read strictly: each field once, of its form, and none that is not known.</summary>
internal sealed class JournalLine
{
    private const string JobPrefix = "job.";
    private const string OriginSuffix = ".origin";

    private readonly Dictionary<string, string> _fields;

    private JournalLine(Dictionary<string, string> fields) => _fields = fields;

    /// <summary>What the line tells.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>Reads a line.</summary>
    /// <param name="line">Without its end.</param>
    /// <exception cref="FormatException">It is no flat JSON object with a kind, or has a field twice.</exception>
    public static JournalLine Read(ReadOnlySpan<byte> line)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var json = new Utf8JsonReader(line);
            Require(json.Read() && json.TokenType == JsonTokenType.StartObject, "is no JSON object");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                string name = json.GetString()!;
                json.Read();
                string value = json.TokenType switch
                {
                    JsonTokenType.String => json.GetString()!,
                    JsonTokenType.Number => json.GetInt64().ToString(CultureInfo.InvariantCulture),
                    JsonTokenType.True => "true",
                    _ => throw new FormatException("has a value that is no text, whole number or true"),
                };
                Require(fields.TryAdd(name, value), "has a field twice");
            }
            Require(json.TokenType == JsonTokenType.EndObject && !json.Read(), "is more than one JSON object");
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)   // the latter for text that is not UTF-8
        {
            throw new FormatException("is no JSON");
        }
        var read = new JournalLine(fields);
        read.Kind = read.Take("kind");
        return read;
    }

    /// <exception cref="FormatException">A field is missing, has another form, or is not known.</exception>
    public JournalHeader ToHeader()
    {
        Require(Number("version") is >= JournalText.OldestVersion and <= JournalText.Version, $"is of another version than {JournalText.OldestVersion} to {JournalText.Version}");
        var header = new JournalHeader(Instant("at"), new ProcessIdentity(Take("host"), Take("boot"), (int)Math.Clamp(Number("process"), 0, int.MaxValue), Take("started")), Job() ?? JobContext.Unnamed);
        Close();
        return header;
    }

    /// <inheritdoc cref="ToHeader"/>
    public JournalEntry ToEntry()
    {
        var entry = new JournalEntry
        {
            Number = Number("entry"),
            At = Instant("at"),
            FlightId = Guid.TryParseExact(Take("flight"), "D", out Guid flight) ? flight : throw new FormatException("has a flight that is no id"),
            Target = Take("target"),
            Issuer = Take("issuer"),
            IsPlatformIssued = Flag("platformIssued"),
            AttestedFacts = Facts(),
            Job = Job(),
        };
        if (_fields.ContainsKey("fingerprint") || _fields.ContainsKey("handle"))
        {
            entry = entry with
            {
                Fingerprint = Optional("fingerprint"), Handle = Optional("handle"), UnusableFrom = Instant("unusableFrom"), DiesAt = Instant("diesAt"), EndIsUncertain = Flag("uncertain"),
            };
        }
        Close();
        return entry;
    }

    /// <summary>The number of the entry that ended.</summary>
    /// <inheritdoc cref="ToHeader"/>
    public long ToEnd()
    {
        long number = Number("entry");
        Take("end");
        Close();
        return number;
    }

    /// <summary>The number of an entry, and how it ended.</summary>
    /// <inheritdoc cref="ToHeader"/>
    public (long Number, JournalUntold Untold) ToUntold()
    {
        long number = Number("entry");
        string end = Take("end");
        Require(Enum.TryParse(end, out LeaseEnd known) && Enum.IsDefined(known), "has an end that is not known");
        var untold = new JournalUntold(known, Instant("at"), Optional("reason"));
        Close();
        return (number, untold);
    }

    /// <inheritdoc cref="ToHeader"/>
    public void Close() => Require(_fields.Count == 0, "has a field that is not known");

    private static void Require(bool isSo, string what)
    {
        if (!isSo)
            throw new FormatException(what);
    }

    private string Take(string name) => Optional(name) ?? throw new FormatException($"has no {name}");

    private string? Optional(string name) => _fields.Remove(name, out string? value) ? value : null;

    private bool Flag(string name) => Optional(name) switch { null => false, "true" => true, _ => throw new FormatException($"has a {name} that is not true") };

    private long Number(string name) => long.TryParse(Take(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : throw new FormatException($"has a {name} that is no number");

    private DateTimeOffset Instant(string name) =>
        DateTimeOffset.TryParseExact(Take(name), "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTimeOffset instant) ? instant : throw new FormatException($"has an {name} that is no instant");

    private JobFacts Facts() => Optional("attested") is not { } text ? JobFacts.None : Enum.TryParse(text, out JobFacts facts) ? facts : throw new FormatException("has an attested that is no fact");

    private JobContext? Job()
    {
        var facts = new Dictionary<string, (string Value, string Origin)>(StringComparer.Ordinal);
        foreach (string field in _fields.Keys.Where(field => field.StartsWith(JobPrefix, StringComparison.Ordinal) && !field.EndsWith(OriginSuffix, StringComparison.Ordinal)).ToArray())
            facts[field[JobPrefix.Length..]] = (Take(field), Take(field + OriginSuffix));
        return facts.Count == 0 ? null : JobContext.Of(facts) ?? throw new FormatException("has a fact of the job that is not known");
    }
}
