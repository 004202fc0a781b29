using System.Runtime.InteropServices;

namespace Nhi.TokenExchange.Soak;

/// <summary>Makes what a process holds comparable: what its collector and its allocator keep for later goes up and down for minutes, and is no leak.</summary>
internal static partial class Memory
{
    /// <summary>Gives back to the system all that is free, managed and not.</summary>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library than glibc; it keeps less.
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MallocTrim(nuint pad);
}
