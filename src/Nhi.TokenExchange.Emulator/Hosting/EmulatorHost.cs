using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Nhi.TokenExchange;

/// <summary>One Kestrel on loopback with ports of the system's choice, three of them over TLS. It reads no configuration and no environment, so nothing outside can make it listen elsewhere.</summary>
internal sealed class EmulatorHost : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly TaskCompletionSource<RequestDelegate> _desk = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private EmulatorHost(WebApplication application) => _application = application;

    public EmulatorPorts Ports { get; private set; } = null!;

    public static async Task<EmulatorHost> StartAsync(IPAddress address, EmulatorCertificates certificates, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Faults drip on purpose, and manual clocks stand still.
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            for (int role = 0; role < EmulatorPorts.Count; role++)
            {
                bool secure = role >= EmulatorPorts.Count - EmulatorPorts.Secure;
                kestrel.Listen(address, 0, listen =>
                {
                    // HTTP/1.1 alone: a fault that resets a connection must not meet another request on it.
                    listen.Protocols = HttpProtocols.Http1;
                    if (secure)
                        listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificateSelector = (_, _) => certificates.Server });
                });
            }
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.Services.AddSingleton<IHostLifetime>(new NoSignals());
        var host = new EmulatorHost(builder.Build());
        host._application.Run(async http => await (await host._desk.Task.ConfigureAwait(false))(http).ConfigureAwait(false));
        await host._application.StartAsync(cancellationToken).ConfigureAwait(false);
        int[] ports = [.. host._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(text => new Uri(text).Port)];
        host.Ports = new EmulatorPorts(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString(), ports);
        return host;
    }

    public void Serve(RequestDelegate handle) => _desk.SetResult(handle);

    public async ValueTask DisposeAsync()
    {
        // No grace: who still waits is cut off.
        await _application.StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The host's usual lifetime takes Ctrl-C and SIGTERM away from the process that the emulator is a guest in.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
