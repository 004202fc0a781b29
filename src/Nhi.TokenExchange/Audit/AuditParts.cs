namespace Nhi.TokenExchange;

/// <summary>Makes the files of one chain. One that has its name, and could not be kept, counts as not made: it is taken away before anything else is written, or its events would stand in two files.</summary>
internal sealed class AuditParts(Disk disk)
{
    private AuditPart? _unkept;

    /// <summary>Whether such a one is there yet.</summary>
    public bool HasUnkept => _unkept is not null;

    /// <summary>Makes a file, whole and on the disk.</summary>
    /// <exception cref="IOException">It can't be, or there is one of that name.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public AuditPart Make(string path, int number, ReadOnlyMemory<byte> text)
    {
        _unkept = AuditPart.Make(path, number, text, disk);
        try
        {
            _unkept.Keep();
            (AuditPart kept, _unkept) = (_unkept, null);
            return kept;
        }
        catch
        {
            Quietly.Do(TakeBack);   // if it can't be now, it is tried before the next write
            throw;
        }
    }

    /// <summary>Takes away what could not be kept.</summary>
    /// <exception cref="IOException">It can't be.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be.</exception>
    public void TakeBack()
    {
        if (_unkept is not { } part)
            return;
        part.Delete();
        part.Dispose();
        _unkept = null;
    }
}
