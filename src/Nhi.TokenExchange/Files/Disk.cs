using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>The calls that decide whether something is on the disk. A test puts another in its place, which fails, or forgets what was not flushed.</summary>
internal class Disk
{
    public static Disk System { get; } = new();

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> text, long at) => RandomAccess.Write(file, text, at);

    public virtual int Read(SafeFileHandle file, Span<byte> into, long at) => RandomAccess.Read(file, into, at);

    /// <summary>How long the files of a folder are together. What another process takes away meanwhile counts nothing.</summary>
    public virtual long BytesIn(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(LengthOf);

    /// <summary>Returns when all that was written is on the disk: fsync(2).</summary>
    public virtual void Flush(SafeFileHandle file) => RandomAccess.FlushToDisk(file);

    public virtual void SetLength(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Returns when the names that were given and taken away in a folder are on the disk.</summary>
    public virtual void FlushNames(string folder) => PrivateFolder.Flush(folder);

    private static long LengthOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
