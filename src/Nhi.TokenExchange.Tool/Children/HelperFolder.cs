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

    /// <exception cref="TokenExchangeException">It can't be made, or is not safe (NHI1007).</exception>
    public static HelperFolder Open()
    {
        string parent = new[] { Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm" }.FirstOrDefault(Directory.Exists) ?? System.IO.Path.GetTempPath();
        Sweep(parent);
        string made = System.IO.Path.Combine(parent, $"{Prefix}{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
        PrivateFolder.Open(made, (what, hint, cause) => new TokenExchangeException(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"The folder '{made}' {what}.", cause) { Hint = hint });
        return new HelperFolder(made, TakeLock(made, FileMode.CreateNew));
    }

    /// <summary>Writes a file, mode 0600, in one step: who reads it meanwhile has the old one or the new one.</summary>
    /// <returns>Its path.</returns>
    public string Write(string name, string text)
    {
        string file = System.IO.Path.Combine(Path, name), next = $"{file}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new StreamWriter(next, options))
            stream.Write(text);
        File.Move(next, file, overwrite: true);
        return file;
    }

    public void Dispose() => Remove(Path, _lock);

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
}
