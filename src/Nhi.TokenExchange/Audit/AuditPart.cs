using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>One file of a chain, open and locked while it is written: a <see cref="PrivateFile"/>.</summary>
internal sealed class AuditPart : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly Disk _disk;
    private readonly UnixFile? _asMade;
    private string? _draft;
    private long _cut;
    private string? _change;

    private AuditPart(string path, int number, SafeFileHandle file, long length, Disk disk, string? draft = null)
    {
        Path = path;
        Number = number;
        _file = file;
        _disk = disk;
        _draft = draft;
        Length = length;
        _asMade = UnixFile.Of(file);
    }

    public string Path { get; }

    public int Number { get; }

    /// <summary>How many bytes are known to be on the disk: whole lines.</summary>
    public long Length { get; private set; }

    /// <summary>Whether a write or a flush failed, and what it left was not taken away yet.</summary>
    public bool IsTorn { get; private set; }

    /// <summary>Makes a file, whole and on the disk. Its name is not, before <see cref="Keep"/>.</summary>
    /// <exception cref="IOException">It can't be, or there is one of that name. Nothing is left.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public static AuditPart Make(string path, int number, ReadOnlyMemory<byte> text, Disk disk)
    {
        string draft = PrivateFile.DraftOf($"{path}.{Guid.NewGuid():N}");
        return new AuditPart(path, number, PrivateFile.Make(path, [text], replace: false, disk, draft), text.Length, disk, draft);
    }

    /// <summary>Takes a file of a process that is gone, to read it and to take it away.</summary>
    /// <returns>Null: its owner lives, or it is gone.</returns>
    /// <exception cref="TokenExchangeException">It is not ours to trust.</exception>
    public static AuditPart? TryTake(string path, Disk disk, Func<string, Exception?, TokenExchangeException> @unsafe) =>
        PrivateFile.TryOpen(path, @unsafe) is { } file ? new AuditPart(path, 0, file, RandomAccess.GetLength(file), disk) : null;

    /// <summary>Sees that the file has one name, which outlasts a loss of power.</summary>
    public void Keep()
    {
        DeleteDraft();
        _disk.FlushNames(System.IO.Path.GetDirectoryName(Path)!);
    }

    /// <summary>Takes the file away, if it still has its name.</summary>
    public void Delete()
    {
        if (!UnixFile.IsSupported || (UnixFile.At(Path, followLink: false) is { } named && named.Identity == _asMade?.Identity))
            _disk.Delete(Path);
        DeleteDraft();
    }

    /// <summary>Adds whole lines; they are on the disk when this returns. If it throws, none of them counts.</summary>
    public void Append(ReadOnlySpan<byte> text)
    {
        IsTorn = true;
        _disk.Write(_file, text, Length);
        _disk.Flush(_file);
        IsTorn = false;
        long length = RandomAccess.GetLength(_file), whole = Length + text.Length;
        if (length != whole)
        {
            _change = string.Create(CultureInfo.InvariantCulture, $"was {(length < whole ? "cut" : "added to")} while it was written: it has {length} bytes, where {whole} were to be");
            throw new IOException("somebody cut the file, or added to it, while it was written");
        }
        Length = whole;
    }

    /// <summary>Takes away what a failed <see cref="Append"/> left, and sees that it is gone from the disk.</summary>
    /// <returns>How many bytes that were.</returns>
    public long CutBack()
    {
        long length = RandomAccess.GetLength(_file);
        if (length < Length)
            _change ??= OfLength(length);   // not by a write of ours: what is left is left alone
        _cut = Math.Max(_cut, length - Length);   // of the first try: the flush of one that cut may have failed
        if (length > Length)
            _disk.SetLength(_file, Length);
        _disk.Flush(_file);
        IsTorn = false;
        (long cut, _cut) = (_cut, 0);
        return cut;
    }

    /// <summary>What somebody else did with the file since it was written last; null: nothing that can be seen. What is in it now is evidence, and is left alone.</summary>
    public string? FindChange()
    {
        if (_change is not null)
            return _change;
        long length = RandomAccess.GetLength(_file);
        if (UnixFile.Of(_file) is not { } now)
            return !File.Exists(Path) ? "is gone" : OfLength(length);
        if (now.Links == 0)
            return "was deleted";
        if (UnixFile.At(Path, followLink: false) is not { } named)
            return "was moved away";
        if (named.Identity != _asMade?.Identity)
            return $"was moved away, and {named.Kind} has its name";
        if (now.Links > 1)
            return "has a second name";
        if (now.Mode != _asMade?.Mode || now.Owner != _asMade?.Owner)
            return $"was given another mode or owner: mode {now.Octal}, user {now.Owner.ToString(CultureInfo.InvariantCulture)}";
        return OfLength(length);
    }

    public void Dispose() => _file.Dispose();

    private void DeleteDraft()
    {
        if (_draft is not null)
            _disk.Delete(_draft);
        _draft = null;
    }

    private string? OfLength(long length) =>
        length == Length ? null : string.Create(CultureInfo.InvariantCulture, $"was {(length < Length ? "cut" : "added to")}: it has {length} bytes, and {Length} were written");
}
