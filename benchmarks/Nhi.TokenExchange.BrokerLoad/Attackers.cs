using System.Net;
using System.Net.Sockets;
using System.Text;

namespace BrokerLoad;

/// <summary>Who harms nobody while the load runs: connections that send drop by drop, bodies that are too large, wrong tokens, other hosts, a browser.</summary>
internal sealed class Attackers : IAsyncDisposable
{
    private const int SlowConnections = 200;

    private readonly Uri _broker;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _all;
    private int _slow;
    private int _refused;
    private int _served;

    public Attackers(Uri broker)
    {
        _broker = broker;
        _all = Task.WhenAll(Enumerable.Range(0, SlowConnections).Select(_ => DropByDropAsync()).Append(AskWronglyAsync()));
    }

    /// <summary>What they did, and whether one of them got anything.</summary>
    public IReadOnlyList<string> Said => [$"{_slow} connections that sent drop by drop", $"{_refused} requests with a wrong token, another host, an origin or a body of 100 kB refused", $"{_served} of them served"];

    public bool AnyServed => _served > 0;

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _all;
        _over.Dispose();
    }

    private async Task DropByDropAsync()
    {
        byte[] drops = Encoding.ASCII.GetBytes("POST /oauth2/token HTTP/1.1\r\nHost: " + new string('x', 4000));
        while (!_over.IsCancellationRequested)
        {
            try
            {
                using var one = new TcpClient();
                await one.ConnectAsync(IPAddress.Loopback, _broker.Port, _over.Token);
                Interlocked.Increment(ref _slow);
                foreach (byte drop in drops)
                {
                    await one.GetStream().WriteAsync(new[] { drop }, _over.Token);
                    await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, _over.Token);
                }
            }
            catch (Exception closed) when (closed is IOException or SocketException or OperationCanceledException)
            {
                // The broker's time for headers is up: the next one comes.
            }
        }
    }

    private async Task AskWronglyAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        Action<HttpRequestMessage>[] ways =
        [
            post => { }, post => post.Headers.Host = "attacker.example", post => post.Headers.TryAddWithoutValidation("Origin", "https://attacker.example"), post => post.Content = new ByteArrayContent(new byte[100_000]),
        ];
        for (int i = 0; !_over.IsCancellationRequested; i++)
        {
            try
            {
                using HttpRequestMessage post = Load.Post(new Uri(_broker, "oauth2/token"), "wrong");
                ways[i % ways.Length](post);
                using HttpResponseMessage response = await http.SendAsync(post, _over.Token);
                Interlocked.Increment(ref response.IsSuccessStatusCode ? ref _served : ref _refused);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, _over.Token);
            }
            catch (Exception closed) when (closed is HttpRequestException or OperationCanceledException)
            {
                // A body that is too large is cut off.
            }
        }
    }
}
