using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>A file with a proof in it, opened with care: regular, small, ours or root's, and nobody else's to write.</summary>
/// <remarks>On Windows kind and size are checked but no modes: a file there inherits the access list of its folder. Owners are checked where statx(2) is.</remarks>
internal sealed class ProofFile
{
    // A proof of the greatest length, a byte-order mark, a newline, and JSON around it.
    private const int MaxBytes = SubjectToken.MaxLength + 1024;

    // Where kubelet and container runtimes mount what they project: modes are theirs.
    private static readonly string[] ProjectedMounts = ["/var/run/secrets/", "/run/secrets/"];

    private readonly string _path;
    private readonly bool _allowWorldReadable;

    public ProofFile(string path, bool allowWorldReadable)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // A path is what it says: no ~, no $, no folder that depends on where the process was started.
        if (path.Contains('\0', StringComparison.Ordinal) || !Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{ExceptionText.Clean(path)}' is not an absolute path; ~ and variables are not replaced.", nameof(path));
        _path = path;
        _allowWorldReadable = allowWorldReadable;
    }

    /// <summary>Reads all of it.</summary>
    /// <exception cref="IdentityUnavailableException">Transient if there is no such file or reading failed in passing; final if it may not be read or is not safe to read.</exception>
    /// <exception cref="FormatException">It is not UTF-8.</exception>
    public string Read()
    {
        RequireRegular();   // before opening: opening a device may do anything
        RequireSafePlace();
        try
        {
            using SafeFileHandle handle = UnixOpen.IsSupported ? UnixOpen.ToRead(_path) : File.OpenHandle(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            RequireSafe(handle);
            return ReadText(handle);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Missing();
        }
        catch (Exception passing) when (passing is IOException || (passing is UnauthorizedAccessException && OperatingSystem.IsWindows()))
        {
            // On Windows a file that is being replaced is refused as in use, or as denied.
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{this} could not be read by user {User} ({passing.GetType().Name}){ModeOf(UnixFile.At(_path))}.", passing)
            {
                IsTransient = true, Hint = "Look at the disk or the mount, and at who else holds the file open.",
            };
        }
        catch (UnauthorizedAccessException unreadable)
        {
            throw Unsafe($"{this} can't be read by user {User} ({unreadable.GetType().Name}){ModeOf(UnixFile.At(_path))}.", "Give the file to the job's user, mode 0400; in Kubernetes set fsGroup or runAsUser.");
        }
    }

    public override string ToString() => $"'{ExceptionText.Clean(_path, 200)}'";

    private static string User => UnixFile.IsSupported
        ? string.Create(CultureInfo.InvariantCulture, $"{UnixFile.CurrentUser} ({ExceptionText.Clean(Environment.UserName)})")
        : $"'{ExceptionText.Clean(Environment.UserName)}'";

    private void RequireRegular()
    {
        if (UnixFile.IsSupported)
        {
            UnixFile file = UnixFile.At(_path) ?? throw Missing();
            if (!file.IsRegular)
                throw Unsafe($"{this} is {file.Kind}, not a regular file.", "Name the file that the platform writes.");
            return;
        }
        if (Directory.Exists(_path))
            throw Unsafe($"{this} is a directory, not a regular file.", "Name the file that the platform writes.");
        if (!File.Exists(_path))
            throw Missing();
        if ((File.GetAttributes(_path) & FileAttributes.Device) != 0)
            throw Unsafe($"{this} is a device, not a regular file.", "Name the file that the platform writes.");
    }

    // Who may put another file, or a link, under this name.
    private void RequireSafePlace()
    {
        if (!UnixFile.IsSupported)
            return;
        string folder = Path.GetDirectoryName(_path)!;
        if (UnixFile.At(folder) is { } place)
        {
            // What kubelet mounts is root's, with mode 0755 or 1777; with fsGroup the group may write, and the sticky bit stays.
            if (place.IsOpenFolder)
                throw Unsafe($"The folder of {this} has mode {place.Octal}: others than its owner may replace the file.", "chmod go-w the folder, or set its sticky bit.");
            if (!IsTrusted(place.Owner))
                throw Unsafe($"The folder of {this} belongs to user {place.Owner}, who may replace the file; this is user {User}.", "Give the folder to the job's user or to root.");
        }
        if (UnixFile.At(_path, followLink: false) is { IsLink: true } link && !IsTrusted(link.Owner))
            throw Unsafe($"{this} is a link made by user {link.Owner}; this is user {User}.", "Only links of the job's own user or of root are followed.");
    }

    private void RequireSafe(SafeFileHandle handle)
    {
        UnixFile? facts = OperatingSystem.IsWindows() ? null : UnixFile.Of(handle);
        if (facts is { IsRegular: false } other)   // looked at again: the name may have changed hands since
            throw Unsafe($"{this} became {other.Kind} while it was opened.", "Somebody replaces the file; find out who.");
        long size = LengthOf(handle);
        if (size > MaxBytes)
            throw Unsafe(string.Create(CultureInfo.InvariantCulture, $"{this} has {size} bytes; a proof has at most {SubjectToken.MaxLength}."), "Name the file that holds the proof.");
        if (OperatingSystem.IsWindows())
            return;
        if (facts is not { } file)
        {
            // No statx: the framework tells the mode, but not the owner.
            RequireMode(new UnixFile(UnixFile.CurrentUser, (uint)File.GetUnixFileMode(handle), (ulong)size));
            return;
        }
        if (!IsTrusted(file.Owner))
            throw Unsafe($"{this} belongs to user {file.Owner}; this is user {User}{ModeOf(file)}.", "Give the file to the job's user or to root.");
        RequireMode(file);
    }

    private long LengthOf(SafeFileHandle handle)
    {
        try
        {
            return RandomAccess.GetLength(handle);
        }
        catch (NotSupportedException)   // what has no length: where nothing else tells a FIFO
        {
            throw Unsafe($"{this} is not a regular file.", "Name the file that the platform writes.");
        }
    }

    private void RequireMode(UnixFile file)
    {
        if (file.IsWritableByOthers)
            throw Unsafe($"{this} can be written by others than its owner{ModeOf(file)}.", "chmod go-w.");
        if (!_allowWorldReadable && file.IsReadableByAll && !IsProjected())
            throw Unsafe($"{this} can be read by every user of this machine{ModeOf(file)}.", "chmod o-r, or set AllowWorldReadable.");
    }

    private bool IsProjected() =>
        ProjectedMounts.Any(mount => _path.StartsWith(mount, StringComparison.Ordinal)) || Directory.Exists(Path.Join(Path.GetDirectoryName(_path), "..data"));

    private static bool IsTrusted(uint owner) => owner == 0 || owner == UnixFile.CurrentUser;

    private static string ModeOf(UnixFile? file) => file is { } known ? string.Create(CultureInfo.InvariantCulture, $"; mode {known.Octal}, owner {known.Owner}") : "";

    private string ReadText(SafeFileHandle handle)
    {
        byte[] bytes = new byte[MaxBytes + 1];
        int length = 0;
        while (RandomAccess.Read(handle, bytes.AsSpan(length), length) is > 0 and int read)
            length += read;
        if (length > MaxBytes)
            throw Unsafe($"{this} has more than {MaxBytes} bytes; a proof has at most {SubjectToken.MaxLength}.", "Name the file that holds the proof.");
        ReadOnlySpan<byte> content = bytes.AsSpan(0, length);
        if (content.StartsWith(Encoding.UTF8.Preamble))
            content = content[Encoding.UTF8.Preamble.Length..];
        return System.Text.Unicode.Utf8.IsValid(content) ? Encoding.UTF8.GetString(content) : throw new FormatException("it is not UTF-8");
    }

    private IdentityUnavailableException Missing() => new(ErrorCodes.ProofUnavailable, $"There is no file {this} that user {User} can see.")
    {
        IsTransient = true, Hint = "Check the mount and the path: the platform may not have written it yet.",
    };

    private static IdentityUnavailableException Unsafe(string message, string hint) => new(ErrorCodes.ProofFileUnsafe, message) { Hint = hint };
}
