using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>One chain of a trail: what one process recorded, in one file or in several parts.</summary>
public sealed class AuditChain
{
    // Nobody reads more, and a hostile trail must not fill the memory.
    private const int MostRecoveries = 1000;

    private readonly List<string> _files = [];
    private readonly List<AuditFinding> _recoveries = [];
    private long _allRecoveries;

    internal AuditChain(AuditFileHeader first)
    {
        Id = first.Chain;
        StartedAt = first.Started;
    }

    /// <summary>The chain's id.</summary>
    public Guid Id { get; }

    /// <summary>When its process began to record, by its own word.</summary>
    public DateTimeOffset StartedAt { get; }

    /// <summary>The paths of its parts that were read, in order.</summary>
    public IReadOnlyList<string> Files => _files;

    /// <summary>The number of the first part that is there. Greater than 1: those before it were moved away, and an anchor vouches for the last line of them.</summary>
    public int FirstPart { get; internal set; } = 1;

    /// <summary>How many events hold; those behind a fault are not counted.</summary>
    public long Events { get; internal set; }

    /// <summary>How many events stand in the files behind a fault, in lines that follow one another from the first one of their file on. Nothing says what came before them.</summary>
    public long EventsBehindFault { get; internal set; }

    /// <summary>How many of them are of kinds that this version does not know: a later one wrote them. They hold, and are not told.</summary>
    public long LaterEvents { get; internal set; }

    /// <summary>Whether its last line says that all was recorded. Else its process still runs, was killed, or the lines from some one on were cut off: only an anchor tells which.</summary>
    public bool IsEnded { get; internal set; }

    /// <summary>What its process noticed while it wrote, and says in the chain: a file that was deleted, moved, cut, added to or given another mode, a write that failed, a name that was taken. The first thousand. It is evidence. Where nothing of the chain is missing or changed, as with another mode, it is no fault; else it stands behind one, whose text repeats the first.</summary>
    public IReadOnlyList<AuditFinding> Recoveries => _recoveries;

    /// <summary>What a crash, or a write that is on its way, left of a last line; null if nothing is.</summary>
    public AuditFinding? TornTail { get; internal set; }

    /// <summary>The first line that does not hold, and what the chain's process noticed of that part by what stands behind; null if all hold.</summary>
    public AuditFinding? Fault { get; internal set; }

    /// <summary>The anchor of the last line that holds: to keep elsewhere.</summary>
    public string Anchor => Last.ToString();

    /// <summary>The number of the last line that an anchor met: up to there the chain was not computed anew since the anchor was said. 0: none did.</summary>
    public long AnchoredTo { get; internal set; }

    internal AuditAnchor Last { get; set; }

    internal void Add(string file) => _files.Add(file);

    internal void Add(AuditFinding recovery)
    {
        _allRecoveries++;
        if (_recoveries.Count < MostRecoveries)
            _recoveries.Add(recovery);
    }

    /// <summary>One line for people, and one for each thing that its process noticed.</summary>
    public override string ToString()
    {
        string noticed = string.Concat(_recoveries.Select(recovery => $"{Environment.NewLine}  noticed while it was written: {recovery}"));
        string more = _allRecoveries > _recoveries.Count ? string.Create(CultureInfo.InvariantCulture, $"{Environment.NewLine}  and {_allRecoveries - _recoveries.Count} more") : "";
        string behind = EventsBehindFault == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" ({EventsBehindFault} behind the fault)");
        string state = Fault is not null ? $"BROKEN: {Fault}" : IsEnded ? "ended" : TornTail is not null ? $"not ended, {TornTail}" : "not ended";
        string from = FirstPart == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"from part {FirstPart} on, on the word of an anchor, ");
        string anchored = AnchoredTo == 0 ? "met by no anchor" : string.Create(CultureInfo.InvariantCulture, $"anchored up to line {AnchoredTo}");
        return string.Create(CultureInfo.InvariantCulture, $"chain {Id:D}: {Events} event{(Events == 1 ? "" : "s")}{behind} in {Files.Count} file{(Files.Count == 1 ? "" : "s")}, {from}{anchored}, {state}{noticed}{more}");
    }
}
