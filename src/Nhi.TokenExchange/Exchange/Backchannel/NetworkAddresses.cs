using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>Which addresses the back channel connects to.</summary>
internal static class NetworkAddresses
{
    // Where a machine is told its own secrets. No issuer lives there: neither a resolver nor a document may send us there, and no proxy is told of it.
    private static readonly IPNetwork[] Metadata =
    [
        IPNetwork.Parse("169.254.0.0/16"),       // link-local: 169.254.169.254 of nearly all clouds, 169.254.170.2 of ECS
        IPNetwork.Parse("fe80::/10"),            // link-local
        IPNetwork.Parse("fd00:ec2::254/128"),    // Amazon EC2
        IPNetwork.Parse("fd20:ce::254/128"),     // Google Cloud
        IPNetwork.Parse("168.63.129.16/32"),     // Azure's wire server
        IPNetwork.Parse("100.100.100.200/32"),   // Alibaba Cloud
        IPNetwork.Parse("192.0.0.192/32"),       // Oracle Cloud
    ];

    // RFC 6052 §2.1: an IPv4 address behind a translator stands in the last four bytes.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    public static bool IsLoopbackName(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(Plain(address)));

    /// <summary>Loopback, link-local and metadata hosts: never reached through a proxy.</summary>
    public static bool IsLocalName(string host) =>
        IsLoopbackName(host) || (IPAddress.TryParse(host, out IPAddress? address) && IsMetadata(Reached(address)));

    /// <summary>Whether a connection to this address is right for a host that was asked for by this name.</summary>
    public static bool IsAllowed(IPAddress address, string host)
    {
        // A name that means loopback gets loopback, any other name doesn't: so a foreign resolver can't point us at our neighbours.
        if (IsLoopbackName(host))
            return IPAddress.IsLoopback(Plain(address));
        IPAddress reached = Reached(address);
        return !IPAddress.IsLoopback(reached) && !IsMetadata(reached) && !IsUnspecified(reached) && !IsMulticast(reached);
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    /// <summary>Where a packet to it ends up.</summary>
    private static IPAddress Reached(IPAddress address)
    {
        address = Plain(address);
        return address.AddressFamily == AddressFamily.InterNetworkV6 && Nat64.Contains(address) ? new IPAddress(address.GetAddressBytes().AsSpan(12)) : address;
    }

    private static bool IsMetadata(IPAddress address)
    {
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0)
            address = new IPAddress(address.GetAddressBytes());   // a network contains no address of a scope
        return Metadata.Any(network => network.Contains(address));
    }

    private static bool IsUnspecified(IPAddress address) =>
        address.Equals(IPAddress.IPv6Any) || (address.AddressFamily == AddressFamily.InterNetwork && FirstByte(address) == 0);

    // 224.0.0.0/4 multicast, 240.0.0.0/4 reserved, 255.255.255.255 broadcast
    private static bool IsMulticast(IPAddress address) =>
        address.IsIPv6Multicast || (address.AddressFamily == AddressFamily.InterNetwork && FirstByte(address) >= 224);

    private static byte FirstByte(IPAddress address) => address.GetAddressBytes()[0];
}
