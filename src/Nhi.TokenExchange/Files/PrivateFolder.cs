using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>A folder of the job's user that nobody else may write: of journals, of the audit.</summary>
/// <remarks>Owners are checked where statx(2) is; on Windows the folder's access list rules.</remarks>
internal static class PrivateFolder
{
    private static readonly (string What, string Remedy)? s_missing = ("is not there", "Make the folder, or mount it, before the job starts; only its last part is made for you.");

    /// <summary>Makes the folder, for its owner alone, if it is missing in a folder that is there; and checks it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="unsafe">Makes the error: of what is wrong, what to do, and the cause.</param>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe.</exception>
    public static void Open(string path, Func<string, string, Exception?, TokenExchangeException> @unsafe)
    {
        if (FlawOf(path) is { } flaw)
            throw @unsafe(flaw.What, flaw.Remedy, null);
        try
        {
            if (!Directory.Exists(path) && Directory.Exists(Path.GetDirectoryName(path)))
            {
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(path);
                else
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                FlushParent(path);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw @unsafe($"can't be made ({failed.GetType().Name})", "Name a folder in one that the job's user may write, on a disk that outlives the process.", failed);
        }
        if ((FlawOf(path) ?? (Directory.Exists(path) ? null : s_missing)) is { } left)   // somebody may have been quicker
            throw @unsafe(left.What, left.Remedy, null);
    }

    /// <summary>What is wrong with the folder, as far as a look tells, and what to do; null if it is there and safe, or can be made. Makes nothing.</summary>
    public static (string What, string Remedy)? FlawOf(string path)
    {
        if (File.Exists(path))
            return ("is a file", "Name a folder, or take the file away: a folder is made in its place.");
        if (!Directory.Exists(path))
            return Directory.Exists(Path.GetDirectoryName(path)) ? null : s_missing;
        if (UnixFile.At(path) is not { } facts)
            return null;
        if (facts.Owner != UnixFile.CurrentUser)
            return (string.Create(CultureInfo.InvariantCulture, $"belongs to user {facts.Owner}; this is user {UnixFile.CurrentUser}"), "Name a folder within it: it is made, for the job's user alone.");
        return facts.IsWritableByOthers ? ($"can be written by others than its owner; mode {facts.Octal}", "chmod 700 the folder, or name a folder within it, which is made so.") : null;
    }

    // One that may be written and not read can't be flushed; nothing is lost but after a loss of power at once.
    private static void FlushParent(string path)
    {
        try
        {
            Flush(Path.GetDirectoryName(path)!);
        }
        catch (UnauthorizedAccessException)
        {
            // See above.
        }
    }

    /// <summary>Makes names that were given or taken away outlast a loss of power.</summary>
    public static void Flush(string path)
    {
        if (!UnixOpen.IsSupported)
            return;
        using SafeFileHandle folder = UnixOpen.ToRead(path);
        RandomAccess.FlushToDisk(folder);
    }
}
