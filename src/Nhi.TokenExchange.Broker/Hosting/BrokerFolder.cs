using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The folder of a broker, mode 0700: its socket, and a file with the token of each client, mode 0600.</summary>
internal sealed class BrokerFolder : IDisposable
{
    private const string SocketName = "broker.sock";
    private const int LongestSocketPath = 107;   // unix(7): sun_path, less the zero at its end

    /// <summary>How long anybody waits for a disk that is to remove something.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly bool _isOurs;

    // A folder may have several brokers, beside each other and one after the other: none takes another's files away.
    private readonly string _mark = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private readonly HashSet<string> _made = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private string? _emptyFile;
    private int _numbers;
    private bool _isOver;

    private BrokerFolder(string path, bool isOurs)
    {
        _path = path;
        _isOurs = isOurs;
    }

    /// <summary>Where it is.</summary>
    public string Location => _path;

    /// <summary>Opens the folder that was named, or makes a new one.</summary>
    /// <exception cref="TokenExchangeException">It can't be made, or is not safe (NHI1007).</exception>
    public static BrokerFolder Open(string? path)
    {
        if (path is not null)
        {
            string full = Path.GetFullPath(path);
            PrivateFolder.Open(full, (what, hint, cause) => Unsafe($"folder '{ExceptionText.Clean(full, 200)}' {what}", hint, cause));
            return new BrokerFolder(full, isOurs: false);
        }
        if (OperatingSystem.IsWindows())
            return new BrokerFolder(Directory.CreateTempSubdirectory("nhi-").FullName, isOurs: true);   // among the user's own files
        string parent = new[] { Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), "/dev/shm" }.FirstOrDefault(Directory.Exists) ?? Path.GetTempPath();
        string made = Path.Combine(parent, $"nhi-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}");
        try
        {
            Directory.CreateDirectory(made, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw Unsafe($"folder '{made}' can't be made ({failed.GetType().Name})", "Name a folder that this user may make files in: TokenBrokerOptions.Folder.", failed);
        }
        PrivateFolder.Open(made, (what, hint, cause) => Unsafe($"folder '{made}' {what}", hint, cause));   // somebody may have been quicker
        return new BrokerFolder(made, isOurs: true);
    }

    /// <summary>Where the socket goes. What an earlier broker of this user left there is taken away.</summary>
    /// <exception cref="TokenExchangeException">Its path is too long, or something else is there (NHI1007).</exception>
    public string ClaimSocket()
    {
        string socket = Path.Combine(_path, SocketName);
        int length = Encoding.UTF8.GetByteCount(socket);
        if (length > LongestSocketPath)
            throw Unsafe(string.Create(CultureInfo.InvariantCulture, $"socket '{ExceptionText.Clean(socket, 200)}' has a path of {length} bytes; a socket's may have {LongestSocketPath}"), "Name a folder with a shorter path.", null);
        if (UnixFile.At(socket, followLink: false) is { } there)
        {
            const uint KindBits = 0xF000, SocketKind = 0xC000;
            if ((there.Mode & KindBits) != SocketKind)
                throw Unsafe($"socket '{socket}' is {there.Kind}, which somebody else put there", "Look at what it is, and take it away; or name another folder.", null);
            if (there.Owner != UnixFile.CurrentUser)
                throw Unsafe(string.Create(CultureInfo.InvariantCulture, $"socket '{socket}' belongs to user {there.Owner}; this is user {UnixFile.CurrentUser}"), "Name another folder.", null);
            if (IsListenedTo(socket))
                throw Unsafe($"socket '{socket}' is in use: another broker listens there", "Name a folder of its own for each broker.", null);
            File.Delete(socket);
        }
        return socket;   // it goes with the listener; what stands there later may be a successor's
    }

    /// <summary>Writes a client's token into a file of its own, without an end of line: AWS SDKs send the file as it is.</summary>
    /// <exception cref="InvalidOperationException">The broker has stopped, and its files are taken away.</exception>
    public string WriteToken(CallerToken token) => Make("token", file => WriteNew(file, Encoding.ASCII.GetBytes(token.Text)));

    /// <summary>A file with nothing in it, for programs that would else read their user's own.</summary>
    public string EmptyFile()
    {
        if (Volatile.Read(ref _emptyFile) is { } there)
            return there;
        string made = Make("empty", file => WriteNew(file, []));
        if (Interlocked.CompareExchange(ref _emptyFile, made, null) is not { } other)
            return made;
        Remove(made);
        return other;
    }

    /// <summary>A folder with nothing in it, for the same: one client's, whose programs may write there.</summary>
    public string NewEmptyFolder() => Make("none", folder =>
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    });

    /// <summary>Takes away a file or a folder that the broker made. What can't be removed now, since somebody writes there, is tried once more when the broker stops.</summary>
    /// <returns>Whether it is gone.</returns>
    public bool Remove(string path)
    {
        lock (_gate)
        {
            if (!_made.Contains(path))
                return true;
        }
        Delete(path);
        if (Path.Exists(path))
            return false;
        lock (_gate)
            _made.Remove(path);
        return true;
    }

    /// <summary>Takes away what the broker made, on a thread of its own, and waits no longer than <see cref="Patience"/>.</summary>
    /// <returns>Whether all is gone.</returns>
    public async Task<bool> IsRemovedAsync()
    {
        try
        {
            await OwnThread.Run(Dispose).WaitAsync(Patience, TimeProvider.System).ConfigureAwait(false);
        }
        catch (Exception late) when (late is TimeoutException or TaskSchedulerException)
        {
            return false;
        }
        lock (_gate)
            return _made.Count == 0;
    }

    /// <summary>Takes away what the broker made.</summary>
    public void Dispose()
    {
        string[] left;
        lock (_gate)
        {
            _isOver = true;
            left = [.. _made];
        }
        foreach (string path in left)
            Remove(path);
        if (_isOurs)
            Quietly.Do(() => Directory.Delete(_path));
    }

    // The lock is for the names alone: a disk may hang. Who stops the broker meanwhile does not see what is written just then, so who wrote it looks.
    private string Make(string kind, Action<string> make)
    {
        string path;
        lock (_gate)
        {
            ThrowIfOver();
            path = Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{kind}-{_mark}-{++_numbers}"));
            _made.Add(path);
        }
        try
        {
            make(path);
            lock (_gate)
            {
                ThrowIfOver();
                return path;
            }
        }
        catch
        {
            lock (_gate)
                _made.Add(path);   // a stop may have looked before it was there
            Remove(path);
            throw;
        }
    }

    // Nobody would take it away.
    private void ThrowIfOver()
    {
        if (_isOver)
            throw new InvalidOperationException("The broker has stopped.");
    }

    private static void WriteNew(string file, ReadOnlySpan<byte> bytes)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new FileStream(file, options);
        stream.Write(bytes);
    }

    private static void Delete(string path) => Quietly.Do(() =>
    {
        if (Directory.Exists(path))
            Directory.Delete(path, recursive: true);
        else
            File.Delete(path);
    });

    private static bool IsListenedTo(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static TokenExchangeException Unsafe(string what, string hint, Exception? cause) => new(ErrorCodes.BrokerFolderUnsafe, ExchangeStage.Configure, $"The broker's {what}.", cause) { Hint = hint };
}
