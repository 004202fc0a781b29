using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace BrokerLoad;

/// <summary>Who harms nobody while the load runs: connections that send drop by drop, bodies that are too large, wrong tokens, other hosts, a browser, tricks in paths.</summary>
internal sealed class Attackers : IAsyncDisposable
{
    private const int SlowConnections = 200;

    private readonly Uri _broker;
    private readonly string _token;
    private readonly CancellationTokenSource _over = new();
    private readonly Task _all;

    private readonly Attack _slow = new("a connection that sends drop by drop", "408", Attack.CutOff);
    private readonly (Attack Attack, Func<HttpRequestMessage> Request)[] _ways;

    /// <param name="broker">Where it listens.</param>
    /// <param name="token">A client's, which is right: it is not what these are refused for, but where they say so.</param>
    public Attackers(Uri broker, string token)
    {
        _broker = broker;
        _token = token;
        _ways =
        [
            (new("a wrong subject token", "400", Attack.TooMany), () => Load.Post(Path("oauth2/token"), "wrong")),
            (new("a wrong client's token", "401", Attack.TooMany), () => With(post => post.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "wrong"))),
            (new("another host", "421", Attack.TooMany), () => With(post => post.Headers.Host = "attacker.example")),
            (new("an origin", "403", Attack.TooMany), () => With(post => post.Headers.Add("Origin", "https://attacker.example"))),
            (new("a path with a percent", "400", Attack.TooMany), () => Load.Post(Path("oauth2%2Ftoken"), _token)),
            (new("a body of 100 kB", "413", Attack.CutOff, Attack.TooMany), () => With(post => post.Content = new ByteArrayContent(new byte[100_000]) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-www-form-urlencoded") } })),
        ];
        _all = Task.WhenAll(Enumerable.Range(0, SlowConnections).Select(_ => DropByDropAsync()).Append(AskWronglyAsync()));
    }

    /// <summary>What they did, and what came of it; whole when this is disposed.</summary>
    public IReadOnlyList<Attack> Made => [_slow, .. _ways.Select(way => way.Attack)];

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _all;
        _over.Dispose();
    }

    private Uri Path(string path) => new(_broker.AbsoluteUri + path);

    private HttpRequestMessage With(Action<HttpRequestMessage> change)
    {
        HttpRequestMessage post = Load.Post(Path("oauth2/token"), _token);
        change(post);
        return post;
    }

    private async Task DropByDropAsync()
    {
        while (!_over.IsCancellationRequested)
            _slow.Count(await SendDropsAsync());
    }

    private async Task<string> SendDropsAsync()
    {
        byte[] drops = Encoding.ASCII.GetBytes("POST /oauth2/token HTTP/1.1\r\nHost: " + new string('x', 4000));
        byte[] answer = new byte[12];   // HTTP/1.1 408
        try
        {
            using var one = new TcpClient();
            await one.ConnectAsync(IPAddress.Loopback, _broker.Port, _over.Token);
            Task<int> answered = one.GetStream().ReadAtLeastAsync(answer, answer.Length, throwOnEndOfStream: false, _over.Token).AsTask();
            for (int i = 0; i < drops.Length && !answered.IsCompleted; i++)
            {
                await one.GetStream().WriteAsync(drops.AsMemory(i, 1), _over.Token);
                await Task.WhenAny(answered, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, _over.Token));
                _over.Token.ThrowIfCancellationRequested();
            }
            return await answered == answer.Length ? Encoding.ASCII.GetString(answer)[9..] : Attack.CutOff;
        }
        catch (OperationCanceledException)
        {
            return Attack.Unanswered;
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            return Attack.CutOff;
        }
    }

    private async Task AskWronglyAsync()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        for (int i = 0; !_over.IsCancellationRequested; i++)
        {
            (Attack attack, Func<HttpRequestMessage> request) = _ways[i % _ways.Length];
            attack.Count(await AskAsync(http, request()));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, _over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<string> AskAsync(HttpClient http, HttpRequestMessage request)
    {
        using (request)
        {
            try
            {
                using HttpResponseMessage response = await http.SendAsync(request, _over.Token);
                return ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture);
            }
            catch (OperationCanceledException)
            {
                return Attack.Unanswered;
            }
            catch (HttpRequestException)
            {
                return Attack.CutOff;
            }
        }
    }
}
