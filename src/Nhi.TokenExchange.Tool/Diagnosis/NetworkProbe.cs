using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Nhi.TokenExchange;

/// <summary>Goes the way to an issuer step by step, as the exchange will: proxy or name, connection, certificate. Sends nothing but what TLS sends.</summary>
/// <param name="issuer">The issuer's address.</param>
/// <param name="setting">The setting that holds it.</param>
/// <param name="roots">The authorities that the settings trust beside the system's.</param>
/// <param name="time">Measures.</param>
internal sealed class NetworkProbe(Uri issuer, string setting, AdditionalRoots? roots, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>Whether there is such a way at all: not to a unix socket or a database.</summary>
    public static bool Applies(Uri issuer) => issuer.Scheme is "https" or "http";

    /// <summary>Goes the way, up to the first step that fails.</summary>
    public async Task<IReadOnlyList<StageResult>> GoAsync(CancellationToken cancellationToken)
    {
        var results = new List<StageResult>();
        if (OutsideProxy.Describe(issuer) is { } proxy)
        {
            results.Add(await AskProxyAsync(proxy, cancellationToken).ConfigureAwait(false));
            return results;
        }
        IPAddress[]? addresses = await ResolveAsync(results, cancellationToken).ConfigureAwait(false);
        if (addresses is null)
            return results;
        using Socket? socket = await ConnectAsync(addresses, results, cancellationToken).ConfigureAwait(false);
        if (socket is not null && issuer.Scheme == Uri.UriSchemeHttps)
            await ShakeHandsAsync(socket, results, cancellationToken).ConfigureAwait(false);
        return results;
    }

    private async Task<StageResult> AskProxyAsync(string proxy, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        Uri address = HttpClient.DefaultProxy.GetProxy(issuer)!;
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await Within(token => socket.ConnectAsync(address.IdnHost, address.Port, token), cancellationToken).ConfigureAwait(false);
            return StageResult.Ok(Stage.Proxy, $"{issuer.IdnHost} is reached through the proxy {proxy}, which takes connections", time.GetElapsedTime(start));
        }
        catch (Exception failed) when (failed is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return new StageResult(
                Stage.Proxy, Verdict.Failed, $"The way to host {issuer.IdnHost} goes through the proxy {proxy}, which takes no connection ({(failed as SocketException)?.SocketErrorCode.ToString() ?? "no answer in time"}).",
                time.GetElapsedTime(start), ErrorCodes.IssuerUnreachable, "Check https_proxy and no_proxy in the environment: correct the proxy's address, or add the host to no_proxy if it is reached without.", ExitCodes.Passing);
        }
    }

    private async Task<IPAddress[]?> ResolveAsync(List<StageResult> results, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(issuer.Host, out IPAddress? literal))
            return [literal];
        long start = time.GetTimestamp();
        try
        {
            IPAddress[] found = await Within(token => new ValueTask<IPAddress[]>(Dns.GetHostAddressesAsync(issuer.IdnHost, token)), cancellationToken).ConfigureAwait(false);
            results.Add(StageResult.Ok(Stage.Dns, $"{issuer.IdnHost} is {string.Join(", ", found.Take(3).Select(one => one.ToString()))}", time.GetElapsedTime(start)));
            return found;
        }
        catch (Exception failed) when (failed is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            results.Add(Failed(Stage.Dns, new HttpRequestException(HttpRequestError.NameResolutionError, inner: failed), start));
            return null;
        }
    }

    private async Task<Socket?> ConnectAsync(IPAddress[] addresses, List<StageResult> results, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        if (!addresses.Any(address => NetworkAddresses.IsAllowed(address, issuer.IdnHost)))
            return null;   // the exchange says why nothing is sent there
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await Within(token => socket.ConnectAsync([.. addresses.Where(address => NetworkAddresses.IsAllowed(address, issuer.IdnHost))], issuer.Port, token), cancellationToken).ConfigureAwait(false);
            results.Add(StageResult.Ok(Stage.Connect, $"{issuer.IdnHost}:{issuer.Port} takes connections", time.GetElapsedTime(start)));
            return socket;
        }
        catch (Exception failed) when (failed is SocketException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            results.Add(Failed(Stage.Connect, failed is SocketException ? new HttpRequestException(HttpRequestError.ConnectionError, inner: failed) : failed, start));
            return null;
        }
    }

    private async Task ShakeHandsAsync(Socket socket, List<StageResult> results, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        var wire = new FirstByteStream(socket);
        try
        {
            var options = new SslClientAuthenticationOptions { TargetHost = issuer.IdnHost, RemoteCertificateValidationCallback = roots is null ? null : roots.Accepts };
            using var tls = new SslStream(wire, leaveInnerStreamOpen: false);
            await Within(token => new ValueTask(tls.AuthenticateAsClientAsync(options, token)), cancellationToken).ConfigureAwait(false);
            results.Add(StageResult.Ok(Stage.Tls, $"{tls.SslProtocol}, a certificate of {ExceptionText.Clean(tls.RemoteCertificate?.Issuer, 200)} that ends {tls.RemoteCertificate?.GetExpirationDateString()}", time.GetElapsedTime(start)));
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException && wire.First is not (null or FirstByteStream.Alert or FirstByteStream.Handshake))
        {
            results.Add(new StageResult(
                Stage.Tls, Verdict.Failed, $"{issuer.IdnHost}:{issuer.Port} takes connections and speaks no TLS.", time.GetElapsedTime(start), ErrorCodes.IssuerUnreachable,
                $"Correct {setting}: the port on which the issuer speaks TLS; or http:// where it is on loopback.", ExitCodes.Passing));
        }
        catch (Exception failed) when (failed is AuthenticationException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            results.Add(Failed(Stage.Tls, failed is OperationCanceledException ? failed : new HttpRequestException(HttpRequestError.SecureConnectionError, inner: failed), start));
        }
    }

    // In the words in which a job would hear of it.
    private StageResult Failed(Stage stage, Exception failure, long start)
    {
        StageResult failed = StageResult.Failed(stage, TransportFailure.Of(failure, issuer), time.GetElapsedTime(start));
        return failed with { Remedy = $"{failed.Remedy} Or correct {setting}, if the address is wrong." };
    }

    private async Task<T> Within<T>(Func<CancellationToken, ValueTask<T>> step, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        return await step(either.Token).ConfigureAwait(false);
    }

    private async Task Within(Func<CancellationToken, ValueTask> step, CancellationToken cancellationToken) =>
        await Within<bool>(
            async token =>
            {
                await step(token).ConfigureAwait(false);
                return true;
            }, cancellationToken).ConfigureAwait(false);
}
