using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Refuses redirects, reads the body whole within its limit, and tells failures of the wire in our words.</summary>
internal sealed class AnswerBounds(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Uri endpoint = request.RequestUri!;
        HttpResponseMessage? response = null;
        try
        {
            response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            RefuseRedirect(response, request);
            HttpContent unread = response.Content;
            response.Content = await BoundedContent.ReadAsync(unread, cancellationToken).ConfigureAwait(false);
            if (unread != response.Content)
                unread.Dispose();
            HttpResponseMessage whole = response;
            response = null;
            return whole;
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw TransportFailure.Of(exception, endpoint);
        }
        finally
        {
            response?.Dispose();
        }
    }

    // As a browser would read it (RFC 3986 §5.2): "//other.example/" is another host, too.
    private static string PlaceOf(Uri? location, Uri asked, SentSecrets? sent)
    {
        if (location is null)
            return "nowhere";
        if (!Uri.TryCreate(asked, location, out Uri? place) || EndpointRules.AsciiHost(place) is not { Length: > 0 } host)
            return "a place without a host";
        if (!host.Equals(asked.IdnHost, StringComparison.OrdinalIgnoreCase))
            return $"host {Shown(host, sent)}";
        if (place.Scheme != Uri.UriSchemeHttps && place.Scheme != Uri.UriSchemeHttp)
            return "the same host, by another scheme";
        return place.Scheme == asked.Scheme && place.Port == asked.Port ? "another path of the same host" : string.Create(CultureInfo.InvariantCulture, $"port {place.Port} of the same host, by {place.Scheme}");
    }

    // A token may stand in a name too. Label by label, so that a long name of short words is shown.
    private static string Shown(string host, SentSecrets? sent) => ExceptionText.Clean(string.Join('.', host.Split('.').Select(label => OuterText.Shown(label, sent: sent))));

    // A redirected POST carries the proof to wherever the redirect says: 307 and 308 keep the body.
    private static void RefuseRedirect(HttpResponseMessage response, HttpRequestMessage request)
    {
        if ((int)response.StatusCode is < 300 or >= 400)
            return;
        SentSecrets? sent = IssuerRequest.SecretsOf(request);
        throw new TokenExchangeException(ErrorCodes.RedirectRefused, ExchangeStage.Exchange, $"Host {request.RequestUri!.IdnHost} answered {(int)response.StatusCode}, a redirect to {PlaceOf(response.Headers.Location, request.RequestUri, sent)}. It was not followed.")
        {
            CorrelationId = CorrelationIds.Of(response, sent), Hint = "Configure the URI that the issuer itself uses.",
        };
    }
}
