using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>The one way to make and to open a file of the job's own in a <see cref="PrivateFolder"/>: mode 0600, locked by one process, never through a link.</summary>
/// <remarks>
/// The lock goes with the process, however that ends; so what is locked is alive. A file is made under another name, locked and written to the disk, and only then named: nobody ever sees one that is not locked while its owner
/// lives, or whose first line is not whole.
/// </remarks>
internal static class PrivateFile
{
    private const string DraftExtension = ".new";

    /// <summary>Under which name a file is written before it has its own.</summary>
    public static string DraftOf(string path) => path + DraftExtension;

    /// <summary>Makes a file, whole and on the disk.</summary>
    /// <param name="path">Its name, once it is whole.</param>
    /// <param name="texts">What is in it.</param>
    /// <param name="replace">Whether it takes the place of one of that name.</param>
    /// <param name="disk">What it is written by.</param>
    /// <param name="draft">Under which name it is written; null: <see cref="DraftOf"/>, which nobody else may use then. Where that can't be taken away again, the file has both.</param>
    /// <returns>The open file, locked.</returns>
    /// <exception cref="IOException">The disk is full, the file system has no locks, there is one of that name, or anything else. Nothing is left.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder can't be written.</exception>
    public static SafeFileHandle Make(string path, IReadOnlyCollection<ReadOnlyMemory<byte>> texts, bool replace, Disk disk, string? draft = null)
    {
        draft ??= DraftOf(path);
        SafeFileHandle? handle = null;
        try
        {
            File.Delete(draft);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 0, Share = OperatingSystem.IsWindows() ? FileShare.Read | FileShare.Delete : FileShare.None };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            handle = new FileStream(draft, options).SafeFileHandle;
            // Asked for once more: where a file system has no locks, the framework says nothing of it.
            if (UnixOpen.IsSupported && !UnixOpen.TryLock(handle))
                throw new IOException("somebody else holds its lock");
            long at = 0;
            foreach (ReadOnlyMemory<byte> text in texts)
            {
                disk.Write(handle, text.Span, at);
                at += text.Length;
            }
            disk.Flush(handle);
            // File.Move without overwriting looks whether there is one, and renames then: in between somebody else may take the name.
            if (!replace && UnixOpen.IsSupported && UnixOpen.TryLink(draft, path))
                Quietly.Do(() => disk.Delete(draft));   // it is made; that it failed would say that it is not
            else
                File.Move(draft, path, replace);
            return handle;
        }
        catch
        {
            handle?.Dispose();
            Quietly.Do(() => File.Delete(draft));
            throw;
        }
    }

    /// <summary>Opens and locks a file that an earlier process made.</summary>
    /// <param name="path">The file.</param>
    /// <param name="unsafe">Makes the error: of what is wrong, and the cause.</param>
    /// <returns>Null: its owner lives, somebody else has it open, or it is gone.</returns>
    /// <exception cref="TokenExchangeException">It is not ours to trust, or can't be locked.</exception>
    public static SafeFileHandle? TryOpen(string path, Func<string, Exception?, TokenExchangeException> @unsafe)
    {
        SafeFileHandle? handle = null;
        try
        {
            if (UnixFile.At(path, followLink: false) is { IsRegular: false } other)   // before opening: opening a device may do anything
                throw @unsafe($"is {other.Kind}, not a regular file", null);
            handle = UnixOpen.IsSupported ? UnixOpen.ToWrite(path) : File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete);
            if (UnixOpen.IsSupported && !UnixOpen.TryLock(handle))
                return null;
            if (FlawOf(handle) is { } flaw)
                throw @unsafe(flaw, null);
            if (UnixFile.Of(handle) is { Links: 0 })   // somebody took it away between our opening and our locking
                return null;
            SafeFileHandle opened = handle;
            handle = null;
            return opened;
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException refused)
        {
            throw @unsafe("can't be written by this user", refused);
        }
        catch (IOException inUse) when (OperatingSystem.IsWindows() && (inUse.HResult & 0xFFFF) == 32)   // ERROR_SHARING_VIOLATION
        {
            return null;
        }
        catch (IOException failed)
        {
            throw @unsafe($"can't be opened and locked ({ExceptionText.Clean(failed.Message)})", failed);
        }
        finally
        {
            handle?.Dispose();
        }
    }

    private static string? FlawOf(SafeFileHandle handle) => UnixFile.Of(handle) switch
    {
        null => null,
        { IsRegular: false } facts => $"is {facts.Kind}, not a regular file",
        { } facts when facts.Owner != UnixFile.CurrentUser => string.Create(CultureInfo.InvariantCulture, $"belongs to user {facts.Owner}; this is user {UnixFile.CurrentUser}"),
        { } facts when (facts.Mode & 0x3F) != 0 => $"has mode {facts.Octal}, not 600",   // 0077
        _ => null,
    };
}
