namespace Nhi.TokenExchange;

/// <summary>The folder of the journals: the job's own, and nobody else's to write.</summary>
/// <remarks>Who could put a journal there could have handles of his choice revoked.</remarks>
internal sealed class JournalFolder
{
    private const string Extension = ".journal";

    private JournalFolder(string path, Disk disk)
    {
        Path = path;
        Disk = disk;
    }

    public string Path { get; }

    /// <summary>What its files are written by.</summary>
    public Disk Disk { get; }

    /// <summary>Opens the folder; makes it, for its owner alone, in a folder that is there.</summary>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe.</exception>
    public static JournalFolder Open(string path, Disk disk)
    {
        var folder = new JournalFolder(path, disk);
        PrivateFolder.Open(path, folder.Unsafe);
        return folder;
    }

    public void DeleteDrafts(DateTimeOffset before)
    {
        foreach (string draft in Directory.EnumerateFiles(Path, PrivateFile.DraftOf($"*{Extension}")))
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
    public void Flush() => PrivateFolder.Flush(Path);

    private TokenExchangeException Unsafe(string what, string hint, Exception? inner) =>
        new(ErrorCodes.JournalUnsafe, ExchangeStage.Configure, $"The folder of journals '{ExceptionText.Clean(Path, 200)}' {what}.", inner) { Hint = hint };
}
