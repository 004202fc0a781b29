using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Opens a file to read without waiting for anybody: open(2) with O_NONBLOCK, for which the framework has no option.</summary>
/// <remarks>A FIFO that took a file's name a moment ago opens at once and is recognized by its handle; by the framework's own way it would wait for a writer for ever.</remarks>
internal static class UnixOpen
{
    private const int NotPermitted = 1;      // EPERM
    private const int NoSuchFile = 2;        // ENOENT
    private const int Interrupted = 4;       // EINTR
    private const int AccessDenied = 13;     // EACCES
    private const int NotAFolder = 20;       // ENOTDIR

    // O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, the same on every processor that .NET runs on.
    private const int LinuxFlags = 0x800 | 0x100 | 0x80000;
    private const int AppleFlags = 0x4 | 0x20000 | 0x1000000;

    /// <summary>Whether the values of the flags are known here; elsewhere the framework opens.</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() || OperatingSystem.IsMacOS();

    /// <summary>Opens a path; links are followed.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    /// <exception cref="IOException">Anything else.</exception>
    public static SafeFileHandle ToRead(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        int flags = OperatingSystem.IsMacOS() ? AppleFlags : LinuxFlags;
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
    }
}
