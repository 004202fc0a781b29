using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Nhi.TokenExchange;

/// <summary>HTTP handlers that reach the emulator and nothing outside of this machine.</summary>
internal sealed class EmulatorConnections(IPAddress address, EmulatorPorts ports, EmulatorCertificates certificates)
{
    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, ConnectCallback = ConnectAsync };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { certificates.Authority },
            // The authority lives in memory: it publishes no revocation list.
            RevocationMode = X509RevocationMode.NoCheck,
        };
        return handler;
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        EndPoint to = Route(context.DnsEndPoint);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private EndPoint Route(DnsEndPoint asked)
    {
        if (asked.Port == 443 && EntraClouds.AllHosts.Contains(asked.Host, StringComparer.OrdinalIgnoreCase))
            return new IPEndPoint(address, ports.Entra);
        if (string.Equals(asked.Host, "localhost", StringComparison.OrdinalIgnoreCase))
            return ports.Has(asked.Port) ? new IPEndPoint(address, asked.Port) : asked;
        if (IPAddress.TryParse(asked.Host, out IPAddress? literal) && IPAddress.IsLoopback(literal))
            return new IPEndPoint(literal, asked.Port);
        throw new HttpRequestException($"The emulator's handler connects to this machine alone and to the Entra hosts that it imitates on port 443; {asked.Host}:{asked.Port} is neither. Use another handler for what is outside.");
    }
}
