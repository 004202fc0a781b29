using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Nhi.TokenExchange;

/// <summary>One Kestrel on one Unix socket or one port of 127.0.0.1. It reads no configuration and no environment, so nothing outside can make it listen elsewhere.</summary>
internal sealed class BrokerHost : IAsyncDisposable
{
    private const int LargestBody = 64 * 1024;
    private const int LargestHeaders = 16 * 1024;
    private const int LongestRequestLine = 8 * 1024;
    private const int MostConnectionsOfOneProcess = 512;

    // A client that sends its headers drop by drop holds a connection for so long, and nothing else.
    private static readonly TimeSpan HeadersWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan IdleFor = TimeSpan.FromSeconds(60);

    private readonly WebApplication _application;

    private BrokerHost(WebApplication application, string? socketPath)
    {
        _application = application;
        SocketPath = socketPath;
    }

    /// <summary>The socket; null: it listens on loopback.</summary>
    public string? SocketPath { get; }

    public Uri Address { get; private set; } = new("http://localhost/");

    /// <summary>What a Host header may be.</summary>
    public IReadOnlyList<string> Hosts => SocketPath is null ? [Address.Authority, FormattableString.Invariant($"localhost:{Address.Port}")] : ["localhost"];

    /// <param name="plan">Where, and the limits.</param>
    /// <param name="socketPath">Where the socket goes; null: loopback.</param>
    /// <param name="answer">Answers requests; the host is started by then.</param>
    /// <param name="refusals">Told of connections that are turned away.</param>
    /// <param name="left">Told of each connection over the Unix socket that ends: whose it was.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    public static async Task<BrokerHost> StartAsync(BrokerPlan plan, string? socketPath, Func<HttpContext, BrokerHost, Task> answer, RefusalRecord refusals, Action<RunningProcess> left, CancellationToken cancellationToken)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var open = new OpenConnections(MostConnectionsOfOneProcess, plan.MaxConnections);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = LargestBody;
            kestrel.Limits.MaxRequestHeadersTotalSize = LargestHeaders;
            kestrel.Limits.MaxRequestLineSize = LongestRequestLine;
            kestrel.Limits.MaxConcurrentConnections = plan.MaxConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = 0;
            kestrel.Limits.RequestHeadersTimeout = HeadersWithin;
            kestrel.Limits.KeepAliveTimeout = IdleFor;
            if (socketPath is null)
                kestrel.Listen(IPAddress.Loopback, plan.LoopbackPort ?? 0, Connections);
            else
                kestrel.ListenUnixSocket(socketPath, Connections);
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = plan.DrainWithin);
        builder.Services.AddSingleton<IHostLifetime>(new NoSignals());
        var host = new BrokerHost(builder.Build(), socketPath);
        host._application.Run(http => answer(http, host));
        try
        {
            await host._application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (IOException inUse)
        {
            await host._application.DisposeAsync().ConfigureAwait(false);
            throw BrokerPlan.Wrong(FormattableString.Invariant($"{(socketPath is null ? $"port {plan.LoopbackPort} of 127.0.0.1" : $"socket '{socketPath}'")} can't be listened on ({inUse.GetType().Name})."), "Another program may have it: name another, or none.");
        }
        if (socketPath is null)
            host.Address = new Uri(host._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        else if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(socketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return host;

        void Connections(ListenOptions listen)
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => async connection =>
            {
                var peer = Peer.Of(connection);
                if (open.Enter(peer) is { } why)
                {
                    refusals.Add(new BrokerRefusal(RefusalKind.TooMany, why), BrokerRoute.None, peer.Facts.ToString(), peer, isStranger: peer.IsAnotherUser);
                    connection.Abort(new ConnectionAbortedException(why));
                    return;
                }
                connection.Features.Set(peer);
                try
                {
                    await next(connection).ConfigureAwait(false);
                }
                finally
                {
                    open.Leave(peer);
                    if (peer is { IsLocalSocket: true, Facts.Process: { } process })
                        left(process);
                }
            });
        }
    }

    /// <summary>Accepts nothing more, lets requests finish, and cuts off those that take too long.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    /// <summary>The host's usual lifetime takes Ctrl-C and SIGTERM away from the process that the broker is a guest in.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
