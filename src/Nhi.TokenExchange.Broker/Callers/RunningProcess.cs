using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A process by its number and its start, for numbers are used again.</summary>
/// <param name="Id">Its number, in the broker's own namespace.</param>
/// <param name="Started">When it started: on Linux in clock ticks since the boot (proc(5), field 22 of stat), else in .NET ticks.</param>
internal readonly record struct RunningProcess(int Id, long Started)
{
    private const int NoSuchProcess = 3;   // ESRCH: it ended while its file was read

    /// <summary>Whether it runs still. One that has ended and that its parent has not waited for does not; one that can't be looked at now does.</summary>
    public bool Runs
    {
        get
        {
            try
            {
                return At(Id) == this;
            }
            catch (Exception notSeen) when (notSeen is IOException or UnauthorizedAccessException)
            {
                return true;   // this process has no handle left, perhaps; the next look tells
            }
        }
    }

    /// <summary>The process that has this number now; null: there is none.</summary>
    /// <exception cref="IOException">It can't be told now.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be seen.</exception>
    public static RunningProcess? At(int id)
    {
        try
        {
            if (OperatingSystem.IsLinux())
                return AtLinux(id);
            using var process = Process.GetProcessById(id);
            return process.HasExited ? null : new RunningProcess(id, process.StartTime.ToUniversalTime().Ticks);
        }
        catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException or IOException { HResult: NoSuchProcess } or ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    /// <summary>The process and those that it descends from, as far as they can be seen: itself first. One whose parent has ended descends from whoever took it in.</summary>
    public IEnumerable<RunningProcess> Line()
    {
        for (RunningProcess? at = this; at is { } process;)
        {
            yield return process;
            at = OperatingSystem.IsLinux() ? process.Parent() : null;
        }
    }

    // A number that is used again is told by its start: the own one's is another, a parent started before its child.
    private RunningProcess? Parent()
    {
        try
        {
            string[] stat = Stat(Id);
            if (StartedOf(stat) != Started)
                return null;
            RunningProcess? parent = At(int.Parse(stat[1], NumberStyles.None, CultureInfo.InvariantCulture));
            return parent is { } found && found.Started <= Started ? found : null;
        }
        catch (Exception notSeen) when (notSeen is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static RunningProcess? AtLinux(int id)
    {
        string[] stat = Stat(id);
        bool hasEnded = stat[0] is "Z" or "X";
        return hasEnded ? null : new RunningProcess(id, StartedOf(stat));
    }

    private static long StartedOf(string[] stat) => long.Parse(stat[19], CultureInfo.InvariantCulture);

    // proc(5), the fields of stat behind the program's name: its state, its parent, …
    private static string[] Stat(int id)
    {
        // The name of the program, field 2, stands in parentheses and may hold any character.
        string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
        return stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
    }
}
