using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace BrokerLoad;

/// <summary>A Kestrel that reads a form and answers as many bytes as an exchange: what no broker of this kind can be faster than.</summary>
internal sealed class BareKestrel : IAsyncDisposable
{
    private readonly WebApplication _application;

    private BareKestrel(WebApplication application) => _application = application;

    public Uri Address => new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <param name="length">Of its answers, in bytes.</param>
    public static async Task<BareKestrel> StartAsync(int length)
    {
        byte[] answer = new byte[length];
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        WebApplication application = builder.Build();
        application.Run(async http =>
        {
            await http.Request.ReadFormAsync();
            http.Response.ContentLength = length;
            await http.Response.Body.WriteAsync(answer);
        });
        await application.StartAsync();
        return new BareKestrel(application);
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
