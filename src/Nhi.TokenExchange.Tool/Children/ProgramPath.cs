using System.Runtime.InteropServices;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Which file a command names: as a shell finds it, and never one that merely lies in the current folder.</summary>
internal static class ProgramPath
{
    /// <summary>Finds it.</summary>
    /// <param name="command">A path, or the name of a program.</param>
    /// <param name="path">The variable <c>PATH</c>. Folders in it that are not absolute are left out: a program of the current folder is named by <c>./</c>.</param>
    /// <returns>Its full path, and whether it may be executed; null: there is none.</returns>
    public static (string File, bool MayRun)? Find(string command, string? path)
    {
        bool isPath = command.Contains('/', StringComparison.Ordinal) || (OperatingSystem.IsWindows() && command.Contains('\\', StringComparison.Ordinal));
        IEnumerable<string> candidates = isPath ? [Path.GetFullPath(command)] : (path ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified).Select(folder => Path.Combine(folder, command));
        (string, bool)? found = isPath && Directory.Exists(command) ? (Path.GetFullPath(command), false) : null;
        foreach (string candidate in candidates.SelectMany(Named))
        {
            if (Directory.Exists(candidate) || !File.Exists(candidate))
                continue;
            if (MayRun(candidate))
                return (candidate, true);
            found ??= (candidate, false);
        }
        return found;
    }

    /// <summary>Whether this user may execute a file, where it is mounted.</summary>
    public static bool MayRun(string file) => OperatingSystem.IsWindows() || NativeMethods.access(Encoding.UTF8.GetBytes(file + '\0'), NativeMethods.Run) == 0;

    private static IEnumerable<string> Named(string file) =>
        OperatingSystem.IsWindows() && !Path.HasExtension(file) ? (Environment.GetEnvironmentVariable("PATHEXT") ?? ".COM;.EXE;.BAT;.CMD").Split(';').Select(extension => file + extension) : [file];

    private static class NativeMethods
    {
        public const int Run = 1;   // X_OK; denied where the mount has noexec

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int access(byte[] path, int mode);
    }
}
