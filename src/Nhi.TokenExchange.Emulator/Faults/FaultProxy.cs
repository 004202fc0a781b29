using System.Net;
using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>A TCP proxy on loopback in front of one server: latency, resets, dead and dripping connections, by connection number.</summary>
/// <remarks>It knows nothing of HTTP. Faults are taken per connection, in the order connections come.</remarks>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<ProxyFault> _next = new();
    private readonly List<Task> _running = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TimeProvider _time;
    private readonly Uri _target;
    private readonly Task _accepting;
    private ProxyFault _otherwise = ProxyFault.None;
    private int _connections;

    private FaultProxy(Uri target, TimeProvider time)
    {
        _target = target;
        _time = time;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where the proxy listens, with the target's path.</summary>
    public Uri Address => Through(_target);

    /// <summary>How many connections came so far.</summary>
    public int Connections
    {
        get
        {
            lock (_gate)
                return _connections;
        }
    }

    /// <summary>Starts a proxy on a free loopback port.</summary>
    /// <param name="target">The server; its host must be a loopback address.</param>
    /// <param name="time">The clock of waits.</param>
    /// <exception cref="ArgumentException">The target is not on loopback.</exception>
    public static FaultProxy Start(Uri target, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(target);
        ArgumentNullException.ThrowIfNull(time);
        return target.IsLoopback ? new FaultProxy(target, time) : throw new ArgumentException("The proxy stands in front of loopback servers only.", nameof(target));
    }

    /// <summary>The next connections meet the fault.</summary>
    /// <param name="fault">The fault.</param>
    /// <param name="times">How many connections; at least 1.</param>
    public void Next(ProxyFault fault, int times = 1)
    {
        ArgumentNullException.ThrowIfNull(fault);
        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        lock (_gate)
        {
            for (int i = 0; i < times; i++)
                _next.Enqueue(fault);
        }
    }

    /// <summary>All connections that no <see cref="Next"/> claims meet the fault.</summary>
    /// <param name="fault">The fault; <see cref="ProxyFault.None"/> to stop it.</param>
    public void Always(ProxyFault fault)
    {
        ArgumentNullException.ThrowIfNull(fault);
        lock (_gate)
            _otherwise = fault;
    }

    /// <summary>The same address by way of the proxy.</summary>
    /// <param name="address">An address of the target.</param>
    public Uri Through(Uri address) => new UriBuilder(address) { Host = "127.0.0.1", Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;

    /// <summary>Closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Stop();
        await _accepting.ConfigureAwait(false);
        Task[] running;
        lock (_gate)
            running = [.. _running];
        await Task.WhenAll(running).ConfigureAwait(false);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket client = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                lock (_gate)
                {
                    _connections++;
                    ProxyFault fault = _next.TryDequeue(out ProxyFault? planned) ? planned : _otherwise;
                    _running.RemoveAll(task => task.IsCompleted);
                    _running.Add(ProxyConnection.RunAsync(client, _target, fault, _time, _stop.Token));
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy was disposed.
        }
    }
}
