using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Which process of which host: by its number and its start, for numbers are used again.</summary>
/// <param name="Host">The name of the host; in a container, of the pod.</param>
/// <param name="Boot">Linux: the id of the kernel's boot, which containers of one node share. Else empty.</param>
/// <param name="Id">The process id, in its own namespace.</param>
/// <param name="Started">When it started: on Linux in clock ticks since the boot (proc(5), field 22 of stat), else in .NET ticks.</param>
internal sealed record ProcessIdentity(string Host, string Boot, int Id, string Started)
{
    /// <summary>This process.</summary>
    public static ProcessIdentity Current { get; } = new(Environment.MachineName, ReadBoot(), Environment.ProcessId, StartOf(Environment.ProcessId) ?? "");

    /// <summary>Whether it ran on this host, now or before a reboot. A pod that is started anew elsewhere under its name counts as the same host.</summary>
    public bool IsOfThisHost => Host == Current.Host || (Boot.Length > 0 && Boot == Current.Boot);

    /// <summary>Whether it runs, as far as this process can see.</summary>
    public bool Runs => Host == Current.Host && Boot == Current.Boot && Started.Length > 0 && StartOf(Id) == Started;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"process {Id} of host '{ExceptionText.Clean(Host)}'");

    private static string ReadBoot()
    {
        try
        {
            return OperatingSystem.IsLinux() ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "";
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    // Null: there is none, or it can't be seen.
    private static string? StartOf(int id)
    {
        try
        {
            if (!OperatingSystem.IsLinux())
            {
                using var process = Process.GetProcessById(id);
                return process.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
            }
            // The name of the program, field 2, stands in parentheses and may hold any character.
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            string[] afterName = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return afterName.Length > 19 ? afterName[19] : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
