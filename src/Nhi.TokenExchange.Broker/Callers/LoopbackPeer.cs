using System.Globalization;
using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Who connected over loopback: the kernel's table of TCP sockets (proc(5), net/tcp) names the user and the inode of the socket at the other end, and the process is the one that has it open.</summary>
/// <remarks>Only processes whose files this one may look at are found: those of its own user, which are the only ones that are let in.</remarks>
internal static class LoopbackPeer
{
    private const int UserColumn = 7;
    private const int InodeColumn = 9;

    // Programs that speak both versions of IP have their sockets in the second table.
    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>The user that the other end's socket is of, and the socket; null: the kernel does not tell.</summary>
    public static (long User, string Socket)? Of(IPEndPoint own, IPEndPoint remote)
    {
        try
        {
            foreach (string[] row in Rows())
            {
                if (IsAt(row[1], remote) && IsAt(row[2], own))
                    return (long.Parse(row[UserColumn], CultureInfo.InvariantCulture), $"socket:[{row[InodeColumn]}]");
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Nobody is let in by that.
        }
        return null;
    }

    /// <summary>The process that has a socket open: a look at the files of each.</summary>
    public static RunningProcess? HolderOf(string socket)
    {
        try
        {
            foreach (string folder in Directory.EnumerateDirectories("/proc"))
            {
                if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int id) && HasOpen(folder, socket))
                    return RunningProcess.At(id);
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
        return null;
    }

    private static IEnumerable<string[]> Rows() =>
        from table in Tables
        where File.Exists(table)
        from line in File.ReadLines(table).Skip(1)
        let row = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where row.Length > InodeColumn
        select row;

    /// <param name="cell">The address in hexadecimal, each 32 bits in the machine's order, and the port.</param>
    /// <param name="place">What it is compared with.</param>
    private static bool IsAt(string cell, IPEndPoint place)
    {
        string[] parts = cell.Split(':');
        if (int.Parse(parts[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) != place.Port)
            return false;
        byte[] bytes = Convert.FromHexString(parts[0]);
        if (BitConverter.IsLittleEndian)
        {
            for (int word = 0; word < bytes.Length; word += 4)
                Array.Reverse(bytes, word, 4);
        }
        return new IPAddress(bytes).MapToIPv6().Equals(place.Address.MapToIPv6());
    }

    private static bool HasOpen(string process, string socket)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(file => new FileInfo(file).LinkTarget == socket);
        }
        catch (Exception notToBeSeen) when (notToBeSeen is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
