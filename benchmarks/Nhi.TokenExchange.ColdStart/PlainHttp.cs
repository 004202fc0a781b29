using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange;

/// <summary>One post with <c>HttpClient</c>, as one has it without a library.</summary>
internal static class PlainHttp
{
    public static async Task<string> AskAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
        return await PlainPost.AskAsync(http, Place.TokenEndpoint, Place.Proof);
    }

    public static async Task<string> AskThroughContainerAsync()
    {
        var services = new ServiceCollection();
        services.AddHttpClient("issuer");
        await using ServiceProvider provider = services.BuildServiceProvider();
        using HttpClient http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("issuer");
        return await PlainPost.AskAsync(http, Place.TokenEndpoint, Place.Proof);
    }
}
