using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>One connection through the <see cref="FaultProxy"/>.</summary>
internal static class ProxyConnection
{
    public static async Task RunAsync(Socket client, Uri target, ProxyFault fault, TimeProvider time, CancellationToken stop)
    {
        // Off the accepting loop: nothing of it may wait for this connection.
        await Task.Yield();
        using (client)
        using (var server = new Socket(SocketType.Stream, ProtocolType.Tcp))
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            client.NoDelay = true;
            server.NoDelay = true;
            try
            {
                if (fault.ResetAtOnce)
                    ResetOnClose(client);
                else if (fault.NeverForward)
                    await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(false);
                else
                    await ForwardAsync(client, server, target, fault, time, end).ConfigureAwait(false);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One of the two ends is gone; so is the connection.
            }
        }
    }

    private static async Task ForwardAsync(Socket client, Socket server, Uri target, ProxyFault fault, TimeProvider time, CancellationTokenSource end)
    {
        await server.ConnectAsync(target.Host, target.Port, end.Token).ConfigureAwait(false);
        Task request = PumpAsync(client, server, fault.Request, client, time, end.Token);
        Task answer = PumpAsync(server, client, fault.Answer, client, time, end.Token);
        Task first = await Task.WhenAny(request, answer).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(request, answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await first.ConfigureAwait(false);
    }

    private static async Task PumpAsync(Socket from, Socket to, ProxyFault.FlowRule rule, Socket client, TimeProvider time, CancellationToken stop)
    {
        byte[] piece = new byte[rule.Piece];
        long passed = 0;
        while (true)
        {
            int count = await from.ReceiveAsync(piece, stop).ConfigureAwait(false);
            if (count == 0)
                return;
            if (rule.Wait > TimeSpan.Zero)
                await Task.Delay(rule.Wait, time, stop).ConfigureAwait(false);
            int allowed = (int)Math.Min(count, Math.Min(rule.ResetAfter, rule.SilentAfter) - passed);
            await to.SendAsync(piece.AsMemory(0, allowed), stop).ConfigureAwait(false);
            passed += allowed;
            if (passed >= rule.ResetAfter)
            {
                ResetOnClose(client);
                return;
            }

            // Nothing is closed and nothing more goes through until the proxy ends or the other side gives up.
            if (passed >= rule.SilentAfter)
                await Task.Delay(Timeout.InfiniteTimeSpan, time, stop).ConfigureAwait(false);
        }
    }

    private static void ResetOnClose(Socket socket) => socket.LingerState = new LingerOption(enable: true, seconds: 0);
}
