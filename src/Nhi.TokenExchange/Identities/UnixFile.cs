using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Kind, owner and mode of a file, which the framework doesn't all tell: statx(2), whose layout is the same on every Linux.</summary>
internal readonly record struct UnixFile(uint Owner, uint Mode, ulong Size)
{
    private const int AtCurrentFolder = -100;   // AT_FDCWD
    private const int AtLinkItself = 0x100;     // AT_SYMLINK_NOFOLLOW
    private const int AtHandle = 0x1000;        // AT_EMPTY_PATH
    private const uint BasicFacts = 0x7ff;      // STATX_BASIC_STATS
    private const uint KindBits = 0xF000;
    private const uint Regular = 0x8000;
    private const uint Link = 0xA000;
    private const uint Sticky = 0x200;

    /// <summary>How many names it has; none once it is deleted.</summary>
    public uint Links { get; private init; } = 1;

    /// <summary>Which file of which file system it is; a file that takes the name of another is another one.</summary>
    public (ulong Inode, uint DeviceMajor, uint DeviceMinor) Identity { get; private init; }

    public bool IsRegular => (Mode & KindBits) == Regular;

    public bool IsLink => (Mode & KindBits) == Link;

    public bool IsWritableByOthers => (Mode & 0x12) != 0;   // 0022: group or world

    public bool IsReadableByAll => (Mode & 0x4) != 0;

    /// <summary>A folder in which others than its owner may replace a file of ours.</summary>
    public bool IsOpenFolder => IsWritableByOthers && (Mode & Sticky) == 0;

    public string Kind => (Mode & KindBits) switch
    {
        Regular => "a regular file",
        Link => "a symbolic link",
        0x4000 => "a directory",
        0x1000 => "a FIFO",
        0xC000 => "a socket",
        _ => "a device",
    };

    /// <summary>The mode as <c>ls</c> and <c>chmod</c> write it: three or four octal digits.</summary>
    public string Octal => Convert.ToString((int)(Mode & 0xFFF), 8).PadLeft(3, '0');

    /// <summary>Whether this system tells owners: Linux with statx (glibc 2.28, musl 1.2.5).</summary>
    public static bool IsSupported { get; } = OperatingSystem.IsLinux() && Probe();

    public static uint CurrentUser => IsSupported ? NativeMethods.geteuid() : 0;

    /// <summary>The file at a path, or null if there is none or it can't be seen.</summary>
    public static UnixFile? At(string path, bool followLink = true) => !IsSupported ? null : Ask(AtCurrentFolder, path, followLink ? 0 : AtLinkItself);

    /// <summary>The open file; null where that can't be told.</summary>
    public static UnixFile? Of(SafeFileHandle handle)
    {
        if (!IsSupported)
            return null;
        bool added = false;
        try
        {
            handle.DangerousAddRef(ref added);
            return Ask((int)handle.DangerousGetHandle(), "", AtHandle);
        }
        finally
        {
            if (added)
                handle.DangerousRelease();
        }
    }

    private static UnixFile? Ask(int folder, string path, int flags)
    {
        byte[] facts = new byte[256];
        if (NativeMethods.statx(folder, Encoding.UTF8.GetBytes(path + '\0'), flags, BasicFacts, facts) != 0)
            return null;
        // struct statx: u32 mask, u32 block size, u64 attributes, u32 links, u32 owner at 20, u32 group, u16 mode at 28, u64 inode at 32, u64 size at 40, …, u32 device major at 136, u32 minor
        return new UnixFile(Native32(20), MemoryMarshal.Read<ushort>(facts.AsSpan(28)), MemoryMarshal.Read<ulong>(facts.AsSpan(40))) { Links = Native32(16), Identity = (MemoryMarshal.Read<ulong>(facts.AsSpan(32)), Native32(136), Native32(140)) };

        uint Native32(int at) => MemoryMarshal.Read<uint>(facts.AsSpan(at));
    }

    private static bool Probe()
    {
        try
        {
            return Ask(AtCurrentFolder, "/", 0) is not null;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
        catch (DllNotFoundException)
        {
            return false;
        }
    }

    private static class NativeMethods
    {
        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int statx(int folder, byte[] path, int flags, uint mask, byte[] facts);

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern uint geteuid();
    }
}
