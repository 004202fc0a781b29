using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>The sockets to hosts of managed identities: no proxy, no cookie, no redirect, and plain http to near addresses alone.</summary>
internal static class MetadataWire
{
    // Where nothing declares a host, this long without a connection means that there is none.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromMilliseconds(2500);

    // Loopback, link-local and private: RFC 1122 §3.2.1.3, RFC 3927, RFC 1918, RFC 4291 §2.5.3 and §2.5.6, RFC 4193 §3.1.
    private static readonly IPNetwork[] Near =
    [
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("::1/128"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("fd00::/8"),
    ];

    /// <summary>Makes them.</summary>
    /// <param name="resolve">Finds the addresses of a name; the system's resolver if null.</param>
    public static SocketsHttpHandler Sockets(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,   // the metadata service behind a proxy is somebody else's
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        MaxResponseHeadersLength = 64,   // KiB
        MaxResponseDrainSize = 0,
        ConnectCallback = (context, cancellationToken) => ConnectAsync(context, resolve ?? Dns.GetHostAddressesAsync, cancellationToken),
    };

    /// <summary>Refuses an address in plain http that is elsewhere. A name is looked at when it is resolved.</summary>
    /// <exception cref="IdentityUnavailableException">It is elsewhere.</exception>
    public static void RequireNear(MetadataHost host)
    {
        if (host.Address.Scheme != Uri.UriSchemeHttps && IPAddress.TryParse(host.Address.DnsSafeHost, out IPAddress? address) && !IsNear(address))
            throw MetadataRefusal.InTheClear(host, address.ToString());
    }

    public static bool IsNear(IPAddress address)
    {
        IPAddress plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Near.Any(network => network.Contains(plain));
    }

    // The addresses that are looked at are those that are connected to: a name can't change in between.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, Func<string, CancellationToken, Task<IPAddress[]>> resolve, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(context.DnsEndPoint.Host, out IPAddress? literal) ? [literal] : await resolve(context.DnsEndPoint.Host, cancellationToken).ConfigureAwait(false);
        var host = MetadataHost.Of(context.InitialRequestMessage);
        if (host.Address.Scheme != Uri.UriSchemeHttps && Array.Find(addresses, address => !IsNear(address)) is { } elsewhere)
            throw MetadataRefusal.InTheClear(host, elsewhere.ToString());
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
