using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>An operator's switch: a file whose appearance revokes the job, with its first line as the reason.</summary>
/// <remarks>
/// Looked at every 5 seconds and at the start. A look is a question for a name, some microseconds; a watcher of the folder would be told sooner, but not on network mounts, nor where the system's watches are used up, and says
/// nothing when it is told nothing. One look at a time: a mount that hangs holds one thread of the pool, and the switch with it, not the job; but for the first look, which the start waits for, so that a job whose switch is thrown hands nothing out.
/// That the file is there is what counts, whatever it is and whoever made it: who may write into its folder may end the job, and can do no more. What stands in it goes into log, audit and errors; so a link, by which somebody
/// could have another file read, is followed only if root or the job's own user made it (as in a mounted ConfigMap, into whose folder nobody else writes).
/// </remarks>
internal sealed class KillSwitch : IDisposable
{
    private const int MaxBytes = 1024;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly string _path;
    private readonly JobSession _session;
    private readonly ITimer _timer;
    private bool _isOutOfSight;

    public KillSwitch(JobSession session, string path)
    {
        _session = session;
        _path = path;
        // The looks belong to nobody's call.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = session.Plan.Time.CreateTimer(_ => Watch(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Looks, and goes on looking until the switch is thrown or the job is over.</summary>
    public void Watch()
    {
        if (Look() is { } cause)
            _ = _session.RevokeAsync(cause);
        else
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    /// <summary>Whether the file could be seen if it were there. One in a folder that this user may not search never can.</summary>
    public static bool CanBeSeen(string path)
    {
        try
        {
            File.GetAttributes(path);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception unseen) when (unseen is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private EndCause? Look()
    {
        if (File.Exists(_path) || Directory.Exists(_path))
            return EndCause.Revoked($"the file '{ExceptionText.Clean(_path, 200)}'{OwnerOf(_path)}", ReasonIn(_path));
        // Without its folder, or the right to look into it, nobody can throw the switch. That is told when it begins; it does not end the job: a mount may be gone for a moment.
        bool isOutOfSight = !CanBeSeen(_path);
        if (isOutOfSight && !_isOutOfSight)
            _session.Plan.Logger.KillSwitchOutOfSight(_session.Context, ExceptionText.Clean(_path, 200));
        _isOutOfSight = isOutOfSight;
        return null;
    }

    private static string OwnerOf(string path) =>
        UnixFile.At(path, followLink: false) is { } file ? string.Create(CultureInfo.InvariantCulture, $" of user {file.Owner}") : "";

    /// <summary>What stands in the file, or why it was not read.</summary>
    public static string ReasonIn(string path)
    {
        try
        {
            UnixFile? itself = UnixFile.At(path, followLink: false);
            bool isLink = itself?.IsLink ?? new FileInfo(path).LinkTarget is not null;
            if (isLink && !(itself is { } link && (link.Owner == 0 || link.Owner == UnixFile.CurrentUser)))
                return "the file is a link of another user and was not read";
            // A FIFO must not make the switch wait for a writer, and a link that was put there since is not followed.
            using SafeFileHandle handle = UnixOpen.IsSupported ? UnixOpen.ToRead(path, followLink: isLink) : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (UnixFile.Of(handle) is { IsRegular: false } other)
                return $"it is {other.Kind} and was not read";
            byte[] bytes = new byte[MaxBytes];
            int length = RandomAccess.Read(handle, bytes, 0);
            ReadOnlySpan<byte> text = bytes.AsSpan(0, length);
            return Encoding.UTF8.GetString(text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            return $"the file could not be read ({unreadable.GetType().Name})";   // it is there, which is what counts
        }
    }
}
