namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>Single calls through a back channel of their own.</summary>
internal static class WireCalls
{
    public static async Task<HttpResponseMessage> GetAsync(Uri uri, TimeProvider? time = null, double jitter = 0.5, Func<HttpMessageHandler>? transport = null)
    {
        using HttpMessageInvoker channel = WireSamples.Backchannel(time, jitter, transport);
        using var get = new HttpRequestMessage(HttpMethod.Get, uri);
        return await channel.SendAsync(get, default);
    }

    public static async Task<TokenExchangeException> FailureAsync(Uri uri, TimeProvider? time = null, Func<HttpMessageHandler>? transport = null)
    {
        try
        {
            using HttpResponseMessage response = await GetAsync(uri, time, transport: transport);
            throw new AssertionException($"No failure but {(int)response.StatusCode}.");
        }
        catch (TokenExchangeException failure)
        {
            return failure;
        }
    }
}
