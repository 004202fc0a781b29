using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Nhi.TokenExchange;

/// <summary>The other end of a connection, as the kernel tells it: not what it says of itself.</summary>
/// <param name="UserId">The user that it runs as; null: the kernel did not tell.</param>
/// <param name="Process">The process; null: the kernel did not tell, or it is gone.</param>
internal sealed record PeerFacts(long? UserId, RunningProcess? Process)
{
    public static readonly PeerFacts Unknown = new(null, null);

    public override string ToString() => UserId is null ? "an unknown process" : string.Create(
        CultureInfo.InvariantCulture, $"{(Process is { } process ? $"process {process.Id}" : "an unknown process")} of user {UserId}");
}

/// <summary>Asks the kernel who is at the other end of a connection, once.</summary>
internal sealed class Peer
{
    private readonly Lazy<PeerFacts> _facts;

    private Peer(bool isLocalSocket, Func<PeerFacts> ask)
    {
        IsLocalSocket = isLocalSocket;
        _facts = new Lazy<PeerFacts>(ask);
    }

    /// <summary>The user that this process runs as; null where the kernel is not Linux.</summary>
    public static long? CurrentUser { get; } = OperatingSystem.IsLinux() ? ReadCurrentUser() : null;

    /// <summary>Whether it came over the Unix socket.</summary>
    public bool IsLocalSocket { get; }

    /// <summary>What the kernel tells.</summary>
    public PeerFacts Facts => _facts.Value;

    /// <summary>Whether the kernel says that it runs as another user.</summary>
    public bool IsAnotherUser => Facts.UserId is { } user && user != CurrentUser;

    public static Peer Of(ConnectionContext connection)
    {
        Socket? socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        if (!OperatingSystem.IsLinux() || socket is null)
            return new Peer(connection.LocalEndPoint is UnixDomainSocketEndPoint, () => PeerFacts.Unknown);
        if (connection.LocalEndPoint is UnixDomainSocketEndPoint)
        {
            PeerFacts facts = UnixPeer.Of(socket);   // at once: later the process may be gone
            return new Peer(isLocalSocket: true, () => facts);
        }
        return new Peer(isLocalSocket: false, () => LoopbackPeer.Of((IPEndPoint)connection.LocalEndPoint!, (IPEndPoint)connection.RemoteEndPoint!));
    }

    // proc(5), status: "Uid: real effective saved filesystem".
    private static long ReadCurrentUser()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        return long.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
    }
}
