using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>The folder of one run of <c>nhi exec</c>, in memory where there is such, mode 0700: the broker's socket, and files that the program reads. It goes with the run; what a killed run left goes at the start of the next.</summary>
internal sealed class HelperFolder : IDisposable
{
    private const string Prefix = "nhi-exec-";
    private const string LockName = "lock";

    private readonly FileStream _lock;

    private HelperFolder(string path, FileStream held)
    {
        Path = path;
        _lock = held;
    }

    public string Path { get; }

    /// <summary>Opens one, and takes away what killed runs left, wherever they had it.</summary>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe (NHI1007).</exception>
    public static HelperFolder Open()
    {
        foreach (string parent in Parents)
            Sweep(parent);
        return OpenFirst(_ => true, "for the files of this run", "that this user may write");
    }

    /// <summary>A second one, whose files may be run: memory is often mounted so that they may not. For nothing that is secret.</summary>
    /// <exception cref="TokenExchangeException">There is no place for one (NHI1007).</exception>
    public static HelperFolder OpenForPrograms() => OpenFirst(folder => folder.HasProgramsRun(), "for a program that docker calls", "that this user may write, and that is mounted without noexec");

    private static IEnumerable<string> Parents => new[] { Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm", System.IO.Path.GetTempPath() }.OfType<string>().Where(Directory.Exists).Distinct(StringComparer.Ordinal);

    // Another user's, or full: the next may do.
    private static HelperFolder OpenFirst(Func<HelperFolder, bool> serves, string what, string which)
    {
        Exception? last = null;
        foreach (string parent in Parents)
        {
            HelperFolder? opened = null;
            try
            {
                opened = OpenIn(parent);
                if (serves(opened))
                    return opened;
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or TokenExchangeException)
            {
                last = refused;
            }
            opened?.Dispose();
        }
        throw last as TokenExchangeException ?? new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"There is no folder {what}{(last is null ? "" : $" ({last.GetType().Name})")}.", last) { Hint = $"Set XDG_RUNTIME_DIR or TMPDIR to a folder {which}." };
    }

    private static HelperFolder OpenIn(string parent)
    {
        string made = System.IO.Path.Combine(parent, $"{Prefix}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
        PrivateFolder.Open(made, (what, hint, cause) => new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"The folder '{made}' {what}.", cause) { Hint = hint });
        return new HelperFolder(made, TakeLock(made, FileMode.CreateNew));
    }

    // By a file that names nothing: the folder goes first on a program's path.
    private bool HasProgramsRun()
    {
        string probe = WriteProgram("probe", [":"]);
        bool mayRun = ProgramPath.MayRun(probe);
        File.Delete(probe);
        return mayRun;
    }

    /// <summary>Writes a file, mode 0600, in one step: who reads it meanwhile has the old one or the new one.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string text) => Write(name, text, UnixFileMode.UserRead | UnixFileMode.UserWrite);

    /// <summary>Writes a program, mode 0700, that starts another one with the arguments that it gets itself.</summary>
    /// <param name="name">Its name, by which it is found on the path.</param>
    /// <param name="words">The other one, and its first arguments.</param>
    /// <returns>Its path.</returns>
    public string WriteProgram(string name, IEnumerable<string> words) => OperatingSystem.IsWindows()
        ? Write($"{name}.cmd", $"@{string.Join(' ', words.Select(word => $"\"{word}\""))} %*\r\n", default)
        : Write(name, $"#!/bin/sh\nexec {string.Join(' ', words.Select(word => $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'"))} \"$@\"\n", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    private string Write(string name, string text, UnixFileMode mode)
    {
        string file = System.IO.Path.Combine(Path, name), next = $"{file}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        using (var stream = new StreamWriter(next, options))
            stream.Write(text);
        File.Move(next, file, overwrite: true);
        return file;
    }

    public void Dispose() => Remove(Path, _lock);

    private static void Sweep(string parent)
    {
        string[] all = [];
        Quietly.Do(() => all = Directory.GetDirectories(parent, $"{Prefix}*"));   // one that can't be read has nothing of ours
        foreach (string left in all)
        {
            // A folder that all may write: others may have put a link there, or a folder of theirs.
            if (UnixFile.At(left, followLink: false) is { } facts && (facts.IsLink || facts.Owner != UnixFile.CurrentUser))
                continue;
            try
            {
                Remove(left, TakeLock(left, FileMode.Open));
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                // Its run goes on and holds the lock, or has not taken it yet.
            }
        }
    }

    // The kernel gives it back when the run is killed, whatever namespace of processes that was in.
    private static FileStream TakeLock(string folder, FileMode mode) => new(System.IO.Path.Combine(folder, LockName), mode, FileAccess.ReadWrite, FileShare.None);

    private static void Remove(string folder, FileStream held)
    {
        using (held)
            Quietly.Do(() => Directory.Delete(folder, recursive: true));
        if (OperatingSystem.IsWindows())
            Quietly.Do(() => Directory.Delete(folder, recursive: true));   // what is open can't be deleted there
    }
}
