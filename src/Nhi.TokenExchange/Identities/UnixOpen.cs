using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Opens a file without waiting for anybody, by open(2) with O_NONBLOCK, and locks it by flock(2): the framework has no option for the one, and says nothing where the other is not to be had.</summary>
/// <remarks>A FIFO that took a file's name a moment ago opens at once and is recognized by its handle; by the framework's own way it would wait for a writer for ever.</remarks>
internal static class UnixOpen
{
    private const int NotPermitted = 1;      // EPERM
    private const int NoSuchFile = 2;        // ENOENT
    private const int Interrupted = 4;       // EINTR
    private const int AccessDenied = 13;     // EACCES
    private const int NotAFolder = 20;       // ENOTDIR
    private const int LinuxWouldBlock = 11;  // EWOULDBLOCK
    private const int AppleWouldBlock = 35;
    private const int LinuxLoop = 40;        // ELOOP
    private const int AppleLoop = 62;
    private const int LinuxNotSupported = 95;   // EOPNOTSUPP
    private const int AppleNotSupported = 45;   // ENOTSUP

    // O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, the same on every processor that .NET runs on.
    private const int LinuxFlags = 0x800 | 0x100 | 0x80000;
    private const int AppleFlags = 0x4 | 0x20000 | 0x1000000;
    private const int ReadAndWrite = 0x2;    // O_RDWR
    private const int AppleNoFollow = 0x100;
    private const int ExclusiveAtOnce = 0x2 | 0x4;   // LOCK_EX | LOCK_NB, the same everywhere
    private const int SharedAtOnce = 0x1 | 0x4;      // LOCK_SH | LOCK_NB

    /// <summary>Whether the values of the flags are known here; elsewhere the framework opens.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    // O_NOFOLLOW is one of the flags that differ by processor.
    private static int NoFollow => OperatingSystem.IsMacOS() ? AppleNoFollow
        : RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Armv6 or Architecture.Arm64 or Architecture.Ppc64le ? 0x8000 : 0x20000;

    /// <summary>Opens a path. A folder may be opened, too, to flush it.</summary>
    /// <param name="path">The path.</param>
    /// <param name="followLink">Whether a link in its last place is followed.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    /// <exception cref="IOException">Anything else: it is a link that is not to be followed.</exception>
    public static SafeFileHandle ToRead(string path, bool followLink = true) => Open(path, followLink ? 0 : NoFollow);

    /// <summary>Opens a file to read and write. A link in the path's last place is not followed.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write it.</exception>
    /// <exception cref="IOException">Anything else: it is a link, or a folder.</exception>
    public static SafeFileHandle ToWrite(string path) => Open(path, ReadAndWrite | NoFollow);

    /// <summary>Locks an open file for this handle alone, until it is closed or the process dies.</summary>
    /// <returns>False: somebody else holds the lock.</returns>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryLock(SafeFileHandle handle) => TryLock(handle, ExclusiveAtOnce);

    /// <summary>Locks an open file against those who lock it for themselves alone: who only looks keeps no other from looking.</summary>
    /// <returns>False: somebody has it for himself alone.</returns>
    /// <exception cref="IOException">The file system has no locks.</exception>
    public static bool TryLockToLook(SafeFileHandle handle) => TryLock(handle, SharedAtOnce);

    private static bool TryLock(SafeFileHandle handle, int operation)
    {
        bool added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            while (NativeMethods.flock((int)handle.DangerousGetHandle(), operation) != 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == (OperatingSystem.IsMacOS() ? AppleWouldBlock : LinuxWouldBlock))
                    return false;
                if (error != Interrupted)
                    throw new IOException(Marshal.GetPInvokeErrorMessage(error));
            }
            return true;
        }
        finally
        {
            if (added)
                handle.DangerousRelease();
        }
    }

    /// <summary>Gives a file a second name, by link(2): in one step, and not if there is one of that name.</summary>
    /// <returns>False: the file system has no second names.</returns>
    /// <exception cref="IOException">There is one of that name, or anything else.</exception>
    public static bool TryLink(string path, string name)
    {
        if (NativeMethods.link(Encoding.UTF8.GetBytes(path + '\0'), Encoding.UTF8.GetBytes(name + '\0')) == 0)
            return true;
        int error = Marshal.GetLastPInvokeError();
        return error is NotPermitted or LinuxNotSupported or AppleNotSupported ? false : throw new IOException(Marshal.GetPInvokeErrorMessage(error));
    }

    private static SafeFileHandle Open(string path, int more)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        int flags = (OperatingSystem.IsMacOS() ? AppleFlags : LinuxFlags) | more;
        while (true)
        {
            int file = NativeMethods.open(name, flags);
            if (file >= 0)
                return new SafeFileHandle(file, ownsHandle: true);
            int error = Marshal.GetLastPInvokeError();
            if (error == Interrupted)
                continue;
            throw error switch
            {
                NoSuchFile or NotAFolder => new FileNotFoundException(),
                NotPermitted or AccessDenied => new UnauthorizedAccessException(),
                LinuxLoop or AppleLoop when (more & NoFollow) != 0 => new IOException("it is a link"),
                _ => new IOException(Marshal.GetPInvokeErrorMessage(error)),
            };
        }
    }

    private static class NativeMethods
    {
        // Variadic in C; the third argument is for O_CREAT alone, and two are passed alike everywhere.
        [DllImport("libc", ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int open(byte[] path, int flags);

        [DllImport("libc", ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int flock(int file, int operation);

        [DllImport("libc", ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int link(byte[] path, byte[] name);
    }
}
