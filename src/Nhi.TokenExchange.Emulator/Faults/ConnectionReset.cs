using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>Ends a connection the hard way.</summary>
internal static class ConnectionReset
{
    public static void Now(HttpContext http)
    {
        // A linger time of zero makes the close a TCP reset.
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        http.Abort();
    }
}
