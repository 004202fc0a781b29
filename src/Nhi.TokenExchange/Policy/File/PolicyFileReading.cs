using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Reads the bytes of a policy file, with care: who may write it, or put another under its name, decides what the job may do.</summary>
internal static class PolicyFileReading
{
    // A writer who goes on for longer is waited for at the next look.
    private const int MostReadings = 3;

    /// <summary>All bytes; null if it can't be read or is not safe to, with what is wrong and what to do.</summary>
    public static byte[]? TryRead(string path, out string what, out string remedy)
    {
        (what, remedy) = ("", "Check the path, the mount and the rights of the job's user.");
        try
        {
            if (FlawOf(path) is { } flaw)
            {
                (what, remedy) = (flaw, "Name a file that its owner alone can write, in a folder where nobody else can replace it.");
                return null;
            }
            // A FIFO that took the name a moment ago must not make the job wait for a writer.
            using SafeFileHandle handle = UnixOpen.IsSupported ? UnixOpen.ToRead(path) : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (UnixFile.Of(handle) is { } facts && FlawOf(facts) is { } changed)
                what = changed;
            else
                return ReadTwice((buffer, at) => RandomAccess.Read(handle, buffer, at), out what);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            what = "is not there, or can't be seen by this user";
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            what = $"can't be read ({unreadable.GetType().Name})";
        }
        return null;
    }

    // On Windows the folder's access list rules.
    private static string? FlawOf(string path)
    {
        if (!UnixFile.IsSupported)
            return Directory.Exists(path) ? "is a directory, not a regular file" : null;
        if (UnixFile.At(path) is { } facts && FlawOf(facts) is { } flaw)
            return flaw;
        // Who made a link decides what stands behind it: root, or the job's user, as in a mounted ConfigMap.
        if (UnixFile.At(path, followLink: false) is { IsLink: true } link && !IsTrusted(link.Owner))
            return string.Create(CultureInfo.InvariantCulture, $"is a link made by user {link.Owner}");
        return UnixFile.At(Path.GetDirectoryName(path)!) is { IsOpenFolder: true } folder ? $"is in a folder in which others may replace it (mode {folder.Octal})" : null;
    }

    private static string? FlawOf(UnixFile facts) =>
        !facts.IsRegular ? $"is {facts.Kind}, not a regular file"
        : facts.IsWritableByOthers ? $"can be written by others than its owner (mode {facts.Octal})"
        : !IsTrusted(facts.Owner) ? string.Create(CultureInfo.InvariantCulture, $"belongs to user {facts.Owner}, who is neither the job's nor root")
        : null;

    private static bool IsTrusted(uint owner) => owner == 0 || owner == UnixFile.CurrentUser;

    /// <summary>All bytes of a file that may be rewritten meanwhile: taken if the next reading finds the same, so that no version is put together of two.</summary>
    /// <param name="readAt">Reads from an offset on.</param>
    /// <param name="what">What is wrong.</param>
    internal static byte[]? ReadTwice(ReadAt readAt, out string what)
    {
        byte[]? before = Read(readAt, out what);
        for (int again = 0; again < MostReadings && before is not null; again++)
        {
            byte[]? now = Read(readAt, out what);
            if (now is not null && before.AsSpan().SequenceEqual(now))
                return now;
            before = now;
        }
        if (before is not null)
            what = "is being written";
        return null;
    }

    private static byte[]? Read(ReadAt readAt, out string what)
    {
        byte[] bytes = new byte[16 * 1024];
        int length = 0;
        while (readAt(bytes.AsSpan(length), length) is > 0 and int read)
        {
            length += read;
            if (length == bytes.Length)
                Array.Resize(ref bytes, 2 * bytes.Length);
            if (length > DocumentReading.MaxBytes)
            {
                what = string.Create(CultureInfo.InvariantCulture, $"has more than {DocumentReading.MaxBytes} bytes");
                return null;
            }
        }
        what = "";
        return bytes[..length];
    }

    internal delegate int ReadAt(Span<byte> buffer, long offset);
}
