using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>One journal, open and locked: by the process whose job writes it, or by the one that recovers what such a process left behind.</summary>
/// <remarks>
/// A <see cref="PrivateFile"/>: what is locked is alive, and what is not has one recoverer.
/// </remarks>
internal sealed class JournalFile : IDisposable
{
    private readonly JournalFolder _folder;
    private SafeFileHandle _handle;
    private long _length;
    private bool _isTorn;

    private JournalFile(JournalFolder folder, string path, SafeFileHandle handle, long length)
    {
        _folder = folder;
        Path = path;
        _handle = handle;
        _length = length;
    }

    public string Path { get; }

    public long Length => _length;

    /// <summary>Whether its name is its own still, also if somebody cut it.</summary>
    public bool HasItsName => UnixFile.Of(_handle) is { } now ? UnixFile.At(Path, followLink: false)?.Identity == now.Identity : File.Exists(Path);

    /// <summary>Whether it has no name at all any more: nobody can find it.</summary>
    public bool IsDeleted => UnixFile.Of(_handle) is { Links: 0 };

    /// <summary>Makes a journal.</summary>
    /// <param name="folder">Where it is to be.</param>
    /// <param name="path">Its path, by <see cref="JournalFolder.NewFile"/>.</param>
    /// <param name="lines">What is in it, its first line in front.</param>
    /// <exception cref="IOException">The disk is full, the file system has no locks, or anything else.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public static JournalFile Create(JournalFolder folder, string path, IReadOnlyCollection<byte[]> lines)
    {
        var file = new JournalFile(folder, path, Put(path, lines, folder.Disk), LengthOf(lines));
        try
        {
            folder.Flush();
            return file;
        }
        catch
        {
            Quietly.Do(file.Delete);
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens and locks a journal of an earlier process.</summary>
    /// <returns>Null: its owner lives, somebody else recovers it, or it is gone.</returns>
    /// <exception cref="TokenExchangeException">It is not ours to trust, or can't be locked.</exception>
    public static JournalFile? TryOpen(JournalFolder folder, string path)
    {
        SafeFileHandle? handle = PrivateFile.TryOpen(path, (what, inner) => Unsafe(path, what, inner));
        return handle is null ? null : new JournalFile(folder, path, handle, RandomAccess.GetLength(handle));
    }

    /// <summary>Whether there is nothing to recover in a journal now: its owner lives, somebody else recovers it, or it is gone.</summary>
    public static bool IsHeld(JournalFolder folder, string path)
    {
        try
        {
            using JournalFile? file = TryOpen(folder, path);
            return file is null;
        }
        catch (TokenExchangeException)   // who recovers it says what is wrong with it
        {
            return false;
        }
    }

    /// <summary>Opens a journal to be looked at, whether or not its owner lives; it is not locked, and must not be written.</summary>
    /// <returns>Null: it is gone.</returns>
    /// <exception cref="IOException">It can't be read.</exception>
    public static JournalFile? Look(JournalFolder folder, string path)
    {
        try
        {
            // The runtime's own way would want a lock, which its owner has.
            SafeFileHandle handle = UnixOpen.IsSupported ? UnixOpen.ToRead(path, followLink: false) : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new JournalFile(folder, path, handle, RandomAccess.GetLength(handle));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    public int Read(Span<byte> into, long at) => _folder.Disk.Read(_handle, into, at);

    /// <summary>Adds lines: all of them, or none if this throws.</summary>
    /// <param name="text">Whole lines.</param>
    /// <param name="flush">Whether they must outlast a loss of power.</param>
    public void Append(ReadOnlySpan<byte> text, bool flush)
    {
        try
        {
            _folder.Disk.Write(_handle, text, _length);
            if (flush)
                _folder.Disk.Flush(_handle);
        }
        catch
        {
            _isTorn = true;
            // A full disk takes a part. What is written next may be shorter, and would leave the end of it behind.
            Quietly.Do(() => _folder.Disk.SetLength(_handle, _length));
            throw;
        }
        _length += text.Length;
    }

    /// <summary>Takes away what a crash left of a line.</summary>
    public void CutTo(long length)
    {
        if (length == _length)
            return;
        _folder.Disk.SetLength(_handle, length);
        _length = length;
    }

    /// <summary>Writes the journal anew, in a file that takes its name when it is whole. If this throws, it may have taken it already: then it is the one that is open and locked.</summary>
    public void Replace(IReadOnlyCollection<byte[]> lines)
    {
        SafeFileHandle anew = Put(Path, lines, _folder.Disk);
        _handle.Dispose();
        _handle = anew;
        _length = LengthOf(lines);
        _isTorn = false;
        _folder.Flush();
    }

    /// <summary>What somebody else did with the file since it was written last, in words; null: nothing that can be seen.</summary>
    public string? FindChange()
    {
        if (UnixFile.Of(_handle) is not { } now)
            return File.Exists(Path) ? null : "was deleted, or moved away";
        string gone = now.Links == 0 ? "was deleted" : "was moved away";
        if (UnixFile.At(Path, followLink: false) is not { } named)
            return gone;
        if (named.Identity != now.Identity)
            return $"{gone}, and {named.Kind} has its name";
        long length = RandomAccess.GetLength(_handle);
        return length < _length && !_isTorn ? string.Create(CultureInfo.InvariantCulture, $"was cut: it has {length} bytes, and {_length} were written") : null;
    }

    /// <summary>Takes the journal away, and then the lock. What has its name and is another file stays.</summary>
    public void Delete()
    {
        bool isOurs = HasItsName;
        if (isOurs && !OperatingSystem.IsWindows())
            File.Delete(Path);
        Dispose();
        if (isOurs && OperatingSystem.IsWindows())
            File.Delete(Path);
    }

    public void Dispose() => _handle.Dispose();

    private static long LengthOf(IReadOnlyCollection<byte[]> lines) => lines.Sum(line => (long)line.Length);

    private static SafeFileHandle Put(string path, IReadOnlyCollection<byte[]> lines, Disk disk) =>
        PrivateFile.Make(path, [.. lines.Select(line => new ReadOnlyMemory<byte>(line))], replace: true, disk);

    private static TokenExchangeException Unsafe(string path, string what, Exception? inner = null) =>
        new(ErrorCodes.JournalUnsafe, ExchangeStage.Revoke, $"The journal '{ExceptionText.Clean(path, 200)}' {what}. It was left as it is, and nothing of it was revoked.", inner)
        {
            Hint = "Find out who made or changed it. If all in it is the job's, chown it to the job's user and chmod 600; else take it away.",
        };
}
