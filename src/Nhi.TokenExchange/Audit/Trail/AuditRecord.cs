using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>One event as it stands in an audit file, at its place in a chain that holds up to there, or <see cref="IsBehindFault"/>.</summary>
public sealed class AuditRecord
{
    private readonly AuditAnchor _anchor;

    internal AuditRecord(AuditAnchor anchor, AuditFileHeader file, long line, AuditEvent auditEvent)
    {
        _anchor = anchor;
        File = file.Path;
        Recorder = file.Job;
        Line = line;
        Event = auditEvent;
    }

    /// <summary>The chain: the id of one process's files.</summary>
    public Guid Chain => _anchor.Chain;

    /// <summary>The line's number in the chain, from 1.</summary>
    public long Sequence => _anchor.Sequence;

    /// <summary>The file's path.</summary>
    public string File { get; }

    /// <summary>The line of the file, from 1.</summary>
    public long Line { get; }

    /// <summary>The job that records, as its file's first line says: the event may be of another one, which left a credential behind.</summary>
    internal JobContext Recorder { get; }

    /// <summary>The event, as it was recorded.</summary>
    public AuditEvent Event { get; }

    /// <summary>True: the chain has a fault before it. Its line follows upon the first one of its file; whether that one follows upon what was recorded before, nothing says.</summary>
    public bool IsBehindFault { get; internal init; }

    /// <summary>The line's anchor, <c>chain:seq:hash</c>: cites it, and all lines before it.</summary>
    public string Anchor => _anchor.ToString();

    /// <summary>One line of visible ASCII for people: where it stands, when, what happened to which credential of which target, and when that dies.</summary>
    public override string ToString() => AuditText.Shown(
        string.Create(CultureInfo.InvariantCulture, $"{File}:{Line} {Event.At.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Event.Target} {Event.Kind} {Event.Fingerprint ?? Event.RevocationHandle}{(Event.DiesAt is { } end ? $", dies at {end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)}" : "")}{(IsBehindFault ? " (behind a fault)" : "")}"), 2000);
}
