using System.Net;

namespace Nhi.TokenExchange;

/// <summary>Sends a request to a decision point by the rules of the back channel, and takes a 200 with JSON as an answer and nothing else.</summary>
internal static class DecisionChannel
{
    /// <summary>Sends.</summary>
    /// <returns>The answer, read whole. Its body is <see cref="BodyOf"/>.</returns>
    /// <exception cref="TokenExchangeException">There is none (NHI3002).</exception>
    public static async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, DecisionCall call, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        request.Headers.TryAddWithoutValidation("X-Request-ID", call.RequestId);
        request.Options.Set(IssuerBackchannel.Within, call.Deadline);
        HttpResponseMessage? response = null;
        try
        {
            response = await call.Channel.SendAsync(request, cancellationToken).ConfigureAwait(false);
            response.Content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK)
                throw DecisionFailure.OfStatus(response, request.RequestUri!, call);
            if (!OAuthIssuer.IsJson(response.Content))
                throw DecisionFailure.Malformed(request.RequestUri!, call, $"is not plain JSON but '{OuterText.Shown(response.Content.Headers.ContentType?.MediaType ?? "nothing")}'");
            HttpResponseMessage whole = response;
            response = null;
            return whole;
        }
        catch (TokenExchangeException failed) when (failed.Stage != ExchangeStage.Authorize)   // the back channel speaks of an exchange; here it is the decision that is missing
        {
            throw DecisionFailure.Of(failed, call);
        }
        finally
        {
            response?.Dispose();
        }
    }

    /// <summary>Posts JSON.</summary>
    public static async Task<HttpResponseMessage> PostAsync(Uri endpoint, ReadOnlyMemory<byte> json, DecisionCall call, CancellationToken cancellationToken)
    {
        using var post = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ReadOnlyMemoryContent(json) };
        post.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        return await SendAsync(post, call, cancellationToken).ConfigureAwait(false);
    }

    public static ReadOnlySpan<byte> BodyOf(HttpResponseMessage response) => ((BoundedContent)response.Content).Bytes;
}
