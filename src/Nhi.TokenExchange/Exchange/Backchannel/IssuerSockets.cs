using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Nhi.TokenExchange;

/// <summary>Makes the sockets below the back channel: addresses are looked at when they are connected to, not at an earlier look-up.</summary>
internal static class IssuerSockets
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    // A dead first address (a broken IPv6 path, mostly) costs this much and not the whole connect time-out.  RFC 8305 §5: 250 ms.
    private static readonly TimeSpan NextAddressAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>Makes the handler.</summary>
    /// <param name="resolve">Finds the addresses of a host; the system's resolver if null.</param>
    /// <param name="open">Opens a socket; the system's if null.</param>
    /// <param name="roots">Trusted beside the system's; none if null.</param>
    public static SocketsHttpHandler Create(Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null, Func<AddressFamily, Socket>? open = null, AdditionalRoots? roots = null)
    {
        open ??= family => new Socket(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        resolve ??= Dns.GetHostAddressesAsync;
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseProxy = true,
            Proxy = new OutsideProxy(),
            ConnectTimeout = ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),   // a moved issuer is noticed
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            MaxResponseHeadersLength = 64,   // KiB
            MaxResponseDrainSize = 0,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, resolve, open, cancellationToken),
        };
        if (roots is not null)
            sockets.SslOptions.RemoteCertificateValidationCallback = roots.Accepts;
        return sockets;
    }

    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint endpoint, Func<string, CancellationToken, Task<IPAddress[]>> resolve, Func<AddressFamily, Socket> open, CancellationToken cancellationToken)
    {
        IPAddress[] found = IPAddress.TryParse(endpoint.Host, out IPAddress? literal) ? [literal] : await resolve(endpoint.Host, cancellationToken).ConfigureAwait(false);
        IPAddress[] allowed = [.. found.Where(address => NetworkAddresses.IsAllowed(address, endpoint.Host))];
        if (allowed.Length == 0 && found.Length > 0)
        {
            throw new TokenExchangeException(ErrorCodes.IssuerAddressRefused, ExchangeStage.Exchange, $"Host {ExceptionText.Clean(endpoint.Host)} leads to {found[0]}, which is not an issuer's address; nothing was sent.")
            {
                Hint = "Loopback is reached as localhost, 127.0.0.1 or [::1]; metadata services, link-local, unspecified and multicast addresses are not reached at all. Look at the name service.",
            };
        }
        return new NetworkStream(await ConnectToFirstAsync(allowed, endpoint.Port, open, cancellationToken).ConfigureAwait(false), ownsSocket: true);
    }

    // Starts an attempt for each address in turn, the next when the one before has failed or is late; the first that connects wins.
    private static async Task<Socket> ConnectToFirstAsync(IPAddress[] addresses, int port, Func<AddressFamily, Socket> open, CancellationToken cancellationToken)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var winner = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = new List<Task<Exception?>>(addresses.Length);
        try
        {
            foreach (IPAddress address in addresses)
            {
                Task<Exception?> attempt = AttemptAsync(address, port, open, winner, decided.Token);
                attempts.Add(attempt);
                if (attempts.Count < addresses.Length)
                    await Task.WhenAny(attempt, winner.Task, Task.Delay(NextAddressAfter, TimeProvider.System, decided.Token)).ConfigureAwait(false);   // sockets live in real time
                if (winner.Task.IsCompleted)
                    break;
            }
            await Task.WhenAny(winner.Task, Task.WhenAll(attempts)).ConfigureAwait(false);
            if (winner.Task.IsCompletedSuccessfully)
                return await winner.Task.ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            foreach (Task<Exception?> attempt in attempts)
            {
                if (await attempt.ConfigureAwait(false) is { } failure)
                    ExceptionDispatchInfo.Throw(failure);
            }
            throw new SocketException((int)SocketError.HostNotFound);
        }
        finally
        {
            winner.TrySetCanceled(CancellationToken.None);   // who connects from now on is too late
            await decided.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <returns>Why it failed; null if it won. Who connects too late closes what he connected.</returns>
    private static async Task<Exception?> AttemptAsync(IPAddress address, int port, Func<AddressFamily, Socket> open, TaskCompletionSource<Socket> winner, CancellationToken cancellationToken)
    {
        Socket? socket = null;
        Exception? failure = null;
        try
        {
            socket = open(address.AddressFamily);   // fails where the system has no IPv6
            await socket.ConnectAsync(address, port, cancellationToken).ConfigureAwait(false);
            if (winner.TrySetResult(socket))
                return null;
        }
        catch (Exception exception)   // whatever it was, it is told if no other address connects; none stays unobserved
        {
            failure = exception;
        }
        socket?.Dispose();
        return failure;
    }
}
