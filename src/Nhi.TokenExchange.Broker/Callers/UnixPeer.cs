using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange;

/// <summary>Who connected to a Unix socket: unix(7), SO_PEERCRED; and which process that is for sure, SO_PEERPIDFD.</summary>
/// <remarks>A number alone may be another process's by the time that it is looked at. The handle says whose number it is, before and after the process's start was read; then the start is of the process that connected. Kernels before 6.5 have no such handle: there the number is believed.</remarks>
internal static class UnixPeer
{
    private const int SocketLevel = 1;   // SOL_SOCKET
    private const int ProcessHandle = 77;   // SO_PEERPIDFD
    private const int CredentialsLength = 12;   // struct ucred: pid, uid, gid

    private static int Credentials => RuntimeInformation.ProcessArchitecture == Architecture.Ppc64le ? 21 : 17;   // SO_PEERCRED

    public static PeerFacts Of(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[CredentialsLength];
        try
        {
            if (socket.GetRawSocketOption(SocketLevel, Credentials, credentials) != CredentialsLength)
                return PeerFacts.Unknown;
        }
        catch (SocketException)
        {
            return PeerFacts.Unknown;
        }
        int id = MemoryMarshal.Read<int>(credentials);
        long user = MemoryMarshal.Read<uint>(credentials[4..]);
        return new PeerFacts(user, id > 0 ? ProcessOf(socket, id) : null);   // 0: it is in a namespace that is none of ours
    }

    private static RunningProcess? ProcessOf(Socket socket, int id)
    {
        Span<byte> handle = stackalloc byte[sizeof(int)];
        try
        {
            socket.GetRawSocketOption(SocketLevel, ProcessHandle, handle);
        }
        catch (SocketException unknown) when (unknown.SocketErrorCode == SocketError.ProtocolOption)
        {
            return At(id);
        }
        catch (SocketException)
        {
            return null;   // it has ended: its number may be another's
        }
        using var process = new SafeFileHandle(MemoryMarshal.Read<int>(handle), ownsHandle: true);
        bool wasThere = NumberBehind(process) == id;
        RunningProcess? found = At(id);
        return wasThere && NumberBehind(process) == id ? found : null;
    }

    private static RunningProcess? At(int id)
    {
        try
        {
            return RunningProcess.At(id);
        }
        catch (Exception notSeen) when (notSeen is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // proc(5), fdinfo of a pidfd: "Pid: 4711", or -1 once the process is gone.
    private static int NumberBehind(SafeFileHandle process)
    {
        string line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fdinfo/{process.DangerousGetHandle()}")).FirstOrDefault(line => line.StartsWith("Pid:", StringComparison.Ordinal), "Pid:\t-1");
        return int.Parse(line.AsSpan(4), NumberStyles.Integer, CultureInfo.InvariantCulture);
    }
}
