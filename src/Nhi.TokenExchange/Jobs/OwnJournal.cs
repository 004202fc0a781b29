using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>The file that the journal of a running job stands in. One that somebody takes away gives way to a new one, under another name.</summary>
/// <remarks>One that was moved away stays open, and so locked, until the job's end: wherever it is now, nobody is to recover it while the job lives.</remarks>
internal sealed class OwnJournal : IDisposable
{
    // Names of files, which no other has: a folder may have several paths.
    private static readonly ConcurrentDictionary<string, bool> Written = new();

    private readonly JobSession _session;
    private readonly JournalFolder _folder;
    private readonly List<JournalFile> _movedAway = [];
    private readonly HashSet<string> _names = [];
    private JournalFile _file;
    private string? _lost;

    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be made.</exception>
    public OwnJournal(JobSession session, JournalFolder folder, byte[] header)
    {
        (_session, _folder) = (session, folder);
        _file = Make([header]);
    }

    public string Path => _file.Path;

    public long Length => _file.Length;

    /// <summary>What somebody did with a file of this job; null: nothing that was seen.</summary>
    public string? Lost => _lost;

    /// <summary>Whether a job of this process writes a journal. One that is its, and is not written, was left by a job whose disk failed at its end.</summary>
    public static bool IsWritten(string path) => Written.ContainsKey(NameOf(path));

    /// <summary>What somebody did with the file since it was written last; null: nothing that can be seen.</summary>
    public string? FindChange() => _file.FindChange();

    public void Append(ReadOnlySpan<byte> text, bool flush) => _file.Append(text, flush);

    public void Replace(IReadOnlyCollection<byte[]> lines) => _file.Replace(lines);

    /// <summary>Makes a new file with all that is held, for somebody took the one before away, or cut it.</summary>
    /// <param name="found">What was found, by <see cref="FindChange"/>.</param>
    /// <param name="lines">All lines.</param>
    /// <exception cref="IOException">It can't be made; it is tried again before the next write.</exception>
    public void MakeAnew(string found, IReadOnlyCollection<byte[]> lines)
    {
        _lost = found;
        JournalFile before = _file;
        try
        {
            JournalFolder.Open(_folder.Path, _folder.Disk);   // it may have gone with the file
            if (before.HasItsName)
                before.Replace(lines);
            else
                _file = Make(lines);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or TokenExchangeException)
        {
            throw new IOException($"it {found}, and no new one could be made: {(failed as TokenExchangeException)?.Detail ?? ExceptionText.Clean(failed.Message, 200)}", failed);
        }
        if (_file != before)
        {
            if (before.IsDeleted)
                before.Dispose();
            else
                _movedAway.Add(before);
            _names.Add(NameOf(before.Path));   // a copy that has it may hold what the job holds
        }
        _session.Plan.Logger.JournalLost(_session.Context, ExceptionText.Clean(before.Path, 200), found, System.IO.Path.GetFileName(_file.Path), ErrorCodes.JournalLost);
    }

    /// <summary>Takes the file away.</summary>
    public void Delete() => _file.Delete();

    public void Dispose()
    {
        Written.TryRemove(NameOf(Path), out _);
        foreach (string name in _names)
            Written.TryRemove(name, out _);
        _file.Dispose();
        _movedAway.ForEach(file => file.Dispose());
    }

    private static string NameOf(string path) => System.IO.Path.GetFileName(path);

    private JournalFile Make(IReadOnlyCollection<byte[]> lines)
    {
        string path = _folder.NewFile();
        Written.TryAdd(NameOf(path), true);   // before anybody can find it
        try
        {
            return JournalFile.Create(_folder, path, lines);
        }
        catch
        {
            Written.TryRemove(NameOf(path), out _);
            throw;
        }
    }
}
