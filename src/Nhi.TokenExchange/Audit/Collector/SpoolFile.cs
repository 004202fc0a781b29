namespace Nhi.TokenExchange;

/// <summary>A file of the spool on its way, and how far it is: a disk that fails in between has nothing sent or set aside a second time.</summary>
/// <param name="part">The file, locked.</param>
internal sealed class SpoolFile(AuditPart part) : IDisposable
{
    public AuditPart Part { get; } = part;

    /// <summary>The lines that the collector refused, or that were damaged.</summary>
    public List<ReadOnlyMemory<byte>> Rejected { get; } = [];

    /// <summary>How many of its lines need not be read again: the collector has their events, or refused them.</summary>
    public long LinesDone { get; private set; }

    /// <summary>Whether the collector has all that it takes.</summary>
    public bool IsSent { get; set; }

    /// <summary>Whether what it refused is in a file of its own.</summary>
    public bool IsSetAside { get; set; }

    /// <summary>The collector has answered for all up to this line.</summary>
    public void NoteDone(long lines, IEnumerable<ReadOnlyMemory<byte>> rejected)
    {
        Rejected.AddRange(rejected);
        LinesDone = lines;
    }

    /// <summary>Writes what was refused into a file of its own.</summary>
    /// <returns>Its path.</returns>
    public string SetAside(Disk disk)
    {
        string aside = Part.Path[..^AuditSpool.Extension.Length] + AuditSpool.Rejected;
        using var reader = AuditFileReader.Open(Part.Path, disk);
        // With its first line it is a file of a spool again, whoever renames it.
        if (reader.TryRead(out ReadOnlyMemory<byte> header))
            PrivateFile.Make(aside, [.. Rejected.Prepend(header).SelectMany(line => new[] { line, "\n"u8.ToArray() })], replace: true, disk).Dispose();
        return aside;
    }

    public void Dispose() => Part.Dispose();
}
