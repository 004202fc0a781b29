using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

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

    /// <exception cref="TokenExchangeException">It can't be made, or is not safe (NHI1007).</exception>
    public static HelperFolder Open()
    {
        Exception? last = null;
        foreach (string parent in Parents.OfType<string>().Where(Directory.Exists))
        {
            try
            {
                return OpenIn(parent);
            }
            catch (Exception refused) when (refused is IOException or UnauthorizedAccessException or TokenExchangeException)
            {
                last = refused;   // another user's, or full: the next may do
            }
        }
        throw last as TokenExchangeException ?? new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"There is no folder for the files of this run ({last?.GetType().Name}).", last) { Hint = "Set XDG_RUNTIME_DIR or TMPDIR to a folder that this user may write." };
    }

    /// <summary>A second one, whose files may be run: memory is often mounted so that they may not. For nothing that is secret.</summary>
    /// <exception cref="TokenExchangeException">There is no place for one (NHI1007).</exception>
    public static HelperFolder OpenForPrograms()
    {
        foreach (string parent in Parents.OfType<string>().Where(Directory.Exists))
        {
            HelperFolder folder = OpenIn(parent);
            if (MayRun(folder.WriteProgram("true", ["true"])))
                return folder;
            folder.Dispose();
        }
        throw new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, "There is no folder for a program that docker calls: what is mounted there may not be run.") { Hint = "Set XDG_RUNTIME_DIR or TMPDIR to a folder that is mounted without noexec." };
    }

    private static string?[] Parents => [Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm", System.IO.Path.GetTempPath()];

    private static HelperFolder OpenIn(string parent)
    {
        Sweep(parent);
        string made = System.IO.Path.Combine(parent, $"{Prefix}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
        PrivateFolder.Open(made, (what, hint, cause) => new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"The folder '{made}' {what}.", cause) { Hint = hint });
        return new HelperFolder(made, TakeLock(made, FileMode.CreateNew));
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

    private static bool MayRun(string program) => OperatingSystem.IsWindows() || NativeMethods.access(Encoding.UTF8.GetBytes(program + '\0'), NativeMethods.Run) == 0;

    private static void Sweep(string parent)
    {
        foreach (string left in Directory.EnumerateDirectories(parent, $"{Prefix}*"))
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

    private static class NativeMethods
    {
        public const int Run = 1;   // X_OK; denied where the mount has noexec

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int access(byte[] path, int mode);
    }
}
