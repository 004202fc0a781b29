namespace Nhi.TokenExchange.Tests;

/// <summary>Writes audit files from the description of their format alone: a second implementation, to lay beside the library's.</summary>
internal sealed class ChainFiles(string pipeline = "orders", int pid = 4711, int startedAt = 0, string? run = null)
{
    private readonly List<List<string>> _parts = [];
    private string _previous = new('0', 64);
    private long _sequence;
    private int _events;

    public Guid Id { get; } = new(pid, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);

    /// <summary>The lines of each part, without their ends.</summary>
    public IReadOnlyList<List<string>> Parts => _parts;

    public string Anchor => $"{Id}:{_sequence}:{_previous}";

    public string NameOf(int part) => $"{pipeline}-{pid}-20261103T0200{startedAt:D2}000{(part == 1 ? "" : $".{part}")}.audit.jsonl";

    public ChainFiles Part()
    {
        _parts.Add([]);
        return Add($$"""{"kind":"file","format":"nhi-audit/1","chain":"{{Id}}","part":{{_parts.Count}},"job":{"pipeline":"{{pipeline}}"{{(run is null ? "" : $",\"run\":\"{run}\"")}}},"pid":{{pid}},"host":"node-1","started":"2026-11-03T02:00:{{startedAt:D2}}.0000000Z"}""");
    }

    public ChainFiles Add(params IEnumerable<AuditEvent> events)
    {
        foreach (AuditEvent one in events)
        {
            Add(EventText.Of(one));
            _events++;
        }
        return this;
    }

    public ChainFiles End() => Add($$"""{"kind":"end","events":{{_events}},"at":"2026-11-03T03:00:00.0000000Z"}""");

    /// <summary>Adds a line of any event.</summary>
    public ChainFiles Add(string json)
    {
        string line = ChainText.Line(++_sequence, _previous, json);
        _previous = line[^66..^2];
        _parts[^1].Add(line);
        return this;
    }

    /// <summary>Writes all parts into a folder.</summary>
    public ChainFiles WriteTo(string folder)
    {
        for (int part = 1; part <= _parts.Count; part++)
            File.WriteAllText(Path.Combine(folder, NameOf(part)), string.Concat(_parts[part - 1].Select(line => line + '\n')));
        return this;
    }
}
