using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What is said when the wire fails, and whether it may go away by itself.</summary>
internal sealed class TransportFailureTests
{
    private static readonly Uri Endpoint = new("https://issuer.example/token");

    private static IEnumerable<TestCaseData> Failures()
    {
        yield return Case("no name", new HttpRequestException(HttpRequestError.NameResolutionError, null, new SocketException((int)SocketError.HostNotFound)),
            "The name issuer.example was not resolved.", true, "Check the host's name and this machine's name service.", typeof(SocketException));
        yield return Case("TLS refused", new HttpRequestException(HttpRequestError.SecureConnectionError, null, new AuthenticationException("outer", new AuthenticationException("the certificate is of yesterday"))),
            "TLS with host issuer.example failed: the certificate is of yesterday", false, "Verification can't be switched off.", typeof(AuthenticationException));
        yield return Case("TLS refused, nothing inside", new HttpRequestException(HttpRequestError.SecureConnectionError, null, new AuthenticationException("the certificate is of tomorrow")),
            "TLS with host issuer.example failed: the certificate is of tomorrow", false, "Let the issuer present a valid certificate for this name", typeof(AuthenticationException));
        yield return Case("TLS broke", new HttpRequestException(HttpRequestError.SecureConnectionError),
            "The connection to host issuer.example broke while TLS was set up.", true, "Look at the health of the issuer", null);
        yield return Case("proxy wants a password", new HttpRequestException(HttpRequestError.ProxyTunnelError, null, null, HttpStatusCode.ProxyAuthenticationRequired),
            "gave no way to host issuer.example (status 407).", false, "Check https_proxy and no_proxy", null);
        yield return Case("proxy is ill", new HttpRequestException(HttpRequestError.ProxyTunnelError, null, null, HttpStatusCode.InternalServerError),
            "gave no way to host issuer.example (status 500).", true, "what the proxy allows", null);
        yield return Case("proxy is silent", new HttpRequestException(HttpRequestError.ProxyTunnelError),
            "gave no way to host issuer.example.", true, "Check https_proxy and no_proxy", null);
        yield return Case("headers without end", new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded),
            "Host issuer.example sent more than 64 KiB of headers.", false, null, null);
        yield return Case("no connection in time", new TaskCanceledException("late"),
            "Host issuer.example took no connection in time.", true, "Check the route and the firewall.", typeof(TaskCanceledException));
        yield return Case("refused", new HttpRequestException(HttpRequestError.ConnectionError, null, new SocketException((int)SocketError.ConnectionRefused)),
            "Host issuer.example:443: ConnectionRefused.", true, "See that the issuer runs and takes connections there, and that no firewall is between.", typeof(SocketException));
        yield return Case("cut", new HttpIOException(HttpRequestError.ResponseEnded, "cut"),
            "The connection to host issuer.example ended before the answer did (ResponseEnded).", true, "and of what stands before it", null);
        yield return Case("cut by the other side", new IOException("cut", new SocketException((int)SocketError.ConnectionReset)),
            "Host issuer.example:443 broke off the connection before its answer was whole.", true, "and of what stands before it", typeof(SocketException));
        yield return Case("TLS on a broken socket", new HttpRequestException(HttpRequestError.SecureConnectionError, null, new AuthenticationException("broke", new SocketException((int)SocketError.ConnectionReset))),
            "TLS with host issuer.example failed", false, "Let the issuer present", typeof(SocketException));
        yield return Case("TLS took too long", new HttpRequestException(HttpRequestError.SecureConnectionError, null, new AuthenticationException("no more", new OperationCanceledException("late"))),
            "TLS with host issuer.example failed: late", false, "Let the issuer present", typeof(AuthenticationException));
    }

    [TestCaseSource(nameof(Failures))]
    public void Each_failure_is_told_in_words_that_help(Exception failure, string message, bool isTransient, string? hint, Type? inside)
    {
        TokenExchangeException told = TransportFailure.Of(failure, Endpoint);

        Assert.That(told.Message, Does.Contain(message));
        Assert.That(told.IsTransient, Is.EqualTo(isTransient));
        Assert.That(told.Hint, hint is null ? Is.Null : Does.Contain(hint));
        Assert.That(told.InnerException?.GetType(), Is.EqualTo(inside));
    }

    [Test]
    public void What_was_refused_while_connecting_is_told_as_it_was_refused()
    {
        var refused = new TokenExchangeException(ErrorCodes.IssuerAddressRefused, ExchangeStage.Exchange, "not there");

        Assert.That(TransportFailure.Of(new HttpRequestException("wrapped", new IOException("wrapped again", refused)), Endpoint), Is.SameAs(refused));
    }

    private static TestCaseData Case(string name, Exception failure, string message, bool isTransient, string? hint, Type? inside) =>
        new TestCaseData(failure, message, isTransient, hint, inside).SetArgDisplayNames(name);
}
