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

    // One reads the tables at a time, and what he reads is for all that wait for him: who makes many connections does not make the broker read so often.
    private static readonly Lock Reading = new();
    private static Dictionary<string, (long User, string Socket)> _read = [];
    private static long _lastBegun;

    /// <summary>The user that the other end's socket is of, and the socket; null: the kernel does not tell.</summary>
    public static (long User, string Socket)? Of(IPEndPoint own, IPEndPoint remote)
    {
        Dictionary<string, (long, string)> sockets = ReadFromNowOn();
        return sockets.TryGetValue(KeyOf(remote, own), out (long, string) found) || sockets.TryGetValue(KeyOf(AsV6(remote), AsV6(own)), out found) ? found : null;
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

    // What a reading has that began after this was called.
    private static Dictionary<string, (long User, string Socket)> ReadFromNowOn()
    {
        long seen = Interlocked.Read(ref _lastBegun);
        lock (Reading)
        {
            if (_lastBegun > seen)
                return _read;   // he who had the lock before began it since
            Interlocked.Increment(ref _lastBegun);
            return _read = Read();
        }
    }

    private static Dictionary<string, (long User, string Socket)> Read()
    {
        var sockets = new Dictionary<string, (long, string)>(StringComparer.Ordinal);
        try
        {
            foreach (string[] row in Rows())
            {
                if (long.TryParse(row[UserColumn], NumberStyles.None, CultureInfo.InvariantCulture, out long user))
                    sockets[$"{row[1]} {row[2]}"] = (user, $"socket:[{row[InodeColumn]}]");
            }
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            // Nobody is let in by that.
        }
        return sockets;
    }

    private static IEnumerable<string[]> Rows() =>
        from table in Tables
        where File.Exists(table)
        from line in File.ReadLines(table).Skip(1)
        let row = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where row.Length > InodeColumn
        select row;

    // As the tables have it: addresses in hexadecimal, each 32 bits in the machine's order, and ports.
    private static string KeyOf(IPEndPoint local, IPEndPoint remote) => $"{CellOf(local)} {CellOf(remote)}";

    private static string CellOf(IPEndPoint place)
    {
        byte[] bytes = place.Address.GetAddressBytes();
        if (BitConverter.IsLittleEndian)
        {
            for (int word = 0; word < bytes.Length; word += 4)
                Array.Reverse(bytes, word, 4);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(bytes)}:{place.Port:X4}");
    }

    private static IPEndPoint AsV6(IPEndPoint place) => new(place.Address.MapToIPv6(), place.Port);

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
