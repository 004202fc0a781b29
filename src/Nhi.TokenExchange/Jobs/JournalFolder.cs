using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>The folder of the journals: the job's own, and nobody else's to write.</summary>
/// <remarks>Who could put a journal there could have handles of his choice revoked. Owners are checked where statx(2) is; on Windows the folder's access list rules.</remarks>
internal sealed class JournalFolder
{
    private const string Extension = ".journal";
    private const string DraftExtension = ".new";

    private JournalFolder(string path) => Path = path;

    public string Path { get; }

    /// <summary>Opens the folder; makes it, for its owner alone, in a folder that is there.</summary>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe.</exception>
    public static JournalFolder Open(string path)
    {
        var folder = new JournalFolder(path);
        try
        {
            if (!Directory.Exists(path) && Directory.Exists(System.IO.Path.GetDirectoryName(path)))
            {
                if (OperatingSystem.IsWindows())
                    Directory.CreateDirectory(path);
                else
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw folder.Unsafe($"can't be made ({failed.GetType().Name})", "Name a folder in one that the job's user may write, on a disk that outlives the process.", failed);
        }
        folder.Check();
        return folder;
    }

    /// <summary>Under which name a journal is written before it is one.</summary>
    public static string DraftOf(string file) => file + DraftExtension;

    public void DeleteDrafts(DateTimeOffset before)
    {
        foreach (string draft in Directory.EnumerateFiles(Path, $"*{Extension}{DraftExtension}"))
        {
            if (File.GetLastWriteTimeUtc(draft) < before.UtcDateTime)
                File.Delete(draft);
        }
    }

    public string NewFile() => System.IO.Path.Combine(Path, $"{Guid.NewGuid():N}{Extension}");

    /// <summary>The journals that are there now, the oldest first.</summary>
    public IReadOnlyList<string> Files() =>
        [.. new DirectoryInfo(Path).EnumerateFileSystemInfos($"*{Extension}").OrderBy(file => file.CreationTimeUtc).ThenBy(file => file.Name, StringComparer.Ordinal).Select(file => file.FullName)];

    /// <summary>Makes names that were given or taken away outlast a loss of power.</summary>
    public void Flush()
    {
        if (!UnixOpen.IsSupported)
            return;
        using SafeFileHandle folder = UnixOpen.ToRead(Path);
        RandomAccess.FlushToDisk(folder);
    }

    private void Check()
    {
        if (!Directory.Exists(Path))
            throw Unsafe("is not there", "Make the folder, or mount it, before the job starts; only its last part is made for you.");
        if (UnixFile.At(Path) is not { } facts)
            return;
        if (facts.Owner != UnixFile.CurrentUser)
            throw Unsafe(string.Create(CultureInfo.InvariantCulture, $"belongs to user {facts.Owner}; this is user {UnixFile.CurrentUser}"), "Name a folder within it: it is made, for the job's user alone.");
        if (facts.IsWritableByOthers)
            throw Unsafe($"can be written by others than its owner; mode {facts.Octal}", "chmod 700 the folder, or name a folder within it, which is made so.");
    }

    private TokenExchangeException Unsafe(string what, string hint, Exception? inner = null) =>
        new(ErrorCodes.JournalUnsafe, ExchangeStage.Configure, $"The folder of journals '{ExceptionText.Clean(Path, 200)}' {what}.", inner) { Hint = hint };
}
