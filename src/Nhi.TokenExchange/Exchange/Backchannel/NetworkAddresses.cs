using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>Which addresses the back channel connects to.</summary>
internal static class NetworkAddresses
{
    // The one metadata service that is not link-local (Amazon EC2 over IPv6).
    private static readonly IPAddress UniqueLocalMetadata = IPAddress.Parse("fd00:ec2::254");

    public static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IsLoopback(address));

    /// <summary>Loopback and link-local hosts: never reached through a proxy.</summary>
    public static bool IsLocalName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out IPAddress? address) && (IsLoopback(address) || IsLinkLocal(Plain(address))));

    /// <summary>Whether a connection to this address is right for a host that was asked for by this name.</summary>
    public static bool IsAllowed(IPAddress address, string host)
    {
        IPAddress plain = Plain(address);
        // A name that means loopback gets loopback, any other name doesn't: so a foreign resolver can't point us at our neighbours.
        if (IsLoopbackName(host) || IsLoopback(plain))
            return IsLoopbackName(host) && IsLoopback(plain);
        return !IsUnspecified(plain) && !IsLinkLocal(plain) && !IsMulticast(plain) && !plain.Equals(UniqueLocalMetadata);
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(Plain(address));

    private static bool IsUnspecified(IPAddress address) =>
        address.Equals(IPAddress.IPv6Any) || (address.AddressFamily == AddressFamily.InterNetwork && FirstBytes(address).First == 0);

    private static bool IsLinkLocal(IPAddress address) =>
        address.IsIPv6LinkLocal || (address.AddressFamily == AddressFamily.InterNetwork && FirstBytes(address) is (169, 254));

    // 224.0.0.0/4 multicast, 240.0.0.0/4 reserved, 255.255.255.255 broadcast
    private static bool IsMulticast(IPAddress address) =>
        address.IsIPv6Multicast || (address.AddressFamily == AddressFamily.InterNetwork && FirstBytes(address).First >= 224);

    private static (byte First, byte Second) FirstBytes(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _) ? (bytes[0], bytes[1]) : default;
    }
}
