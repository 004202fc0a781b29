using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Reads the lines of one audit file, of which anything may have been made: a link or a FIFO is not opened, a line without end is not held.</summary>
internal sealed class AuditFileReader : IDisposable
{
    private const int ChunkLength = 16 * 1024;

    private readonly SafeFileHandle _handle;
    private readonly Disk _disk;
    private byte[] _buffer = new byte[2 * ChunkLength];
    private long _at;
    private int _start;
    private int _end;

    private AuditFileReader(SafeFileHandle handle, Disk disk) => (_handle, _disk) = (handle, disk);

    /// <summary>The number of the line that was read last, from 1.</summary>
    public long Line { get; private set; }

    /// <summary>Whether that one has an end: only the last one of a file may have none.</summary>
    public bool HasEnd { get; private set; }

    /// <summary>Opens a file; waits for nobody.</summary>
    /// <exception cref="FormatException">It is no regular file, or can't be read; the text follows upon the file's name.</exception>
    public static AuditFileReader Open(string path, Disk? disk = null)
    {
        SafeFileHandle? handle = null;
        try
        {
            if (UnixFile.At(path, followLink: false) is { IsRegular: false } other)   // before opening: opening a device may do anything
                throw new FormatException($"is {other.Kind}, not a regular file");
            if (!UnixFile.IsSupported && (File.GetAttributes(path) & (FileAttributes.ReparsePoint | FileAttributes.Directory | FileAttributes.Device)) != 0)
                throw new FormatException("is not a regular file");
            handle = UnixOpen.IsSupported ? UnixOpen.ToRead(path, followLink: false) : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (UnixFile.Of(handle) is { IsRegular: false } replaced)
                throw new FormatException($"is {replaced.Kind}, not a regular file");
            var reader = new AuditFileReader(handle, disk ?? Disk.System);
            handle = null;
            return reader;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"can't be read ({failed.GetType().Name})", failed);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    /// <summary>Reads the next line.</summary>
    /// <param name="line">Without its end; good until the next call.</param>
    /// <returns>False: there is none.</returns>
    /// <exception cref="FormatException">It is longer than any of ours, or the disk failed.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                line = _buffer.AsMemory(_start, searched + found);
                _start += searched + found + 1;
                return Take(hasEnd: true);
            }
            searched = _end - _start;
            if (searched > ChainLine.Longest)
            {
                Line++;
                throw new FormatException($"is longer than {ChainLine.Longest} bytes, and none of ours is");
            }
            if (Fill())
                continue;
            line = _buffer.AsMemory(_start, searched);
            _start = _end;
            return searched > 0 && Take(hasEnd: false);
        }
    }

    public void Dispose() => _handle.Dispose();

    private bool Take(bool hasEnd)
    {
        Line++;
        HasEnd = hasEnd;
        return true;
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        if (_buffer.Length - _end < ChunkLength)
            Array.Resize(ref _buffer, 2 * _buffer.Length);
        try
        {
            int read = _disk.Read(_handle, _buffer.AsSpan(_end, ChunkLength), _at);
            _at += read;
            _end += read;
            return read > 0;
        }
        catch (IOException failed)
        {
            Line++;
            throw new FormatException($"can't be read ({failed.GetType().Name})", failed);
        }
    }
}
