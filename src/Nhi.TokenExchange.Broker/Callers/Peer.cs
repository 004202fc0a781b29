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
    private readonly Lazy<long?> _user;
    private readonly Lazy<PeerFacts> _facts;

    private Peer(bool isLocalSocket, PeerFacts facts)
    {
        IsLocalSocket = isLocalSocket;
        _user = new Lazy<long?>(() => facts.UserId);
        _facts = new Lazy<PeerFacts>(facts);
    }

    // The user is one look at a table, the process one at all processes.
    private Peer(IPEndPoint own, IPEndPoint remote)
    {
        var found = new Lazy<(long User, string Socket)?>(() => LoopbackPeer.Of(own, remote));
        _user = new Lazy<long?>(() => found.Value?.User);
        _facts = new Lazy<PeerFacts>(() => found.Value is { } socket ? new PeerFacts(socket.User, socket.User == CurrentUser ? LoopbackPeer.HolderOf(socket.Socket) : null) : PeerFacts.Unknown);
    }

    /// <summary>The user that this process runs as; null where the kernel is not Linux.</summary>
    public static long? CurrentUser { get; } = OperatingSystem.IsLinux() ? ReadCurrentUser() : null;

    /// <summary>Whether it came over the Unix socket.</summary>
    public bool IsLocalSocket { get; }

    /// <summary>What the kernel tells.</summary>
    public PeerFacts Facts => _facts.Value;

    /// <summary>The user that it runs as; null: the kernel does not tell.</summary>
    public long? UserId => _user.Value;

    /// <summary>Whether the kernel says that it runs as another user.</summary>
    public bool IsAnotherUser => _user.Value is { } user && user != CurrentUser;

    /// <summary>It, for the audit, where it proved nothing; null: the kernel does not tell.</summary>
    public CredentialCaller? ToCaller() => Facts.UserId is null ? null : new CredentialCaller("unproven", "unproven", Facts.Process?.Id, Facts.UserId);

    public static Peer Of(ConnectionContext connection)
    {
        Socket? socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
        bool isLocalSocket = connection.LocalEndPoint is UnixDomainSocketEndPoint;
        if (!OperatingSystem.IsLinux() || socket is null)
            return new Peer(isLocalSocket, PeerFacts.Unknown);
        return isLocalSocket
            ? new Peer(isLocalSocket: true, UnixPeer.Of(socket))   // at once: later the process may be gone
            : new Peer((IPEndPoint)connection.LocalEndPoint!, (IPEndPoint)connection.RemoteEndPoint!);
    }

    // proc(5), status: "Uid: real effective saved filesystem".
    private static long ReadCurrentUser()
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal));
        return long.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
    }
}
