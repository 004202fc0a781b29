using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A listener on loopback that speaks HTTP/1.1 by hand, so that it can also speak it wrongly. One connection per request.</summary>
internal sealed class ScriptedIssuer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopped = new();
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly X509Certificate2? _certificate;
    private readonly Task _accepting;
    private int _connected;

    public ScriptedIssuer(Func<ReceivedRequest, ScriptedAnswer> respond, X509Certificate2? certificate = null)
    {
        Respond = respond;
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Answers the same to each request.</summary>
    public ScriptedIssuer(ScriptedAnswer answer)
        : this(_ => answer)
    {
    }

    /// <summary>Answers in order; the last answer stays.</summary>
    public static ScriptedIssuer InOrder(params ScriptedAnswer[] answers)
    {
        int next = 0;
        return new ScriptedIssuer(_ => answers[Math.Min(next++, answers.Length - 1)]);
    }

    public Func<ReceivedRequest, ScriptedAnswer> Respond { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Uri => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{Port}");

    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    public int Connections => _connected;

    public async ValueTask DisposeAsync()
    {
        if (_accepting.IsCompleted)
            return;
        await _stopped.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections);
        _stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_stopped.Token);
                _connected++;
                _connections.Add(ServeAsync(client));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient owned = client;
        try
        {
            await using Stream stream = await OpenAsync(client);
            if (await ReadRequestAsync(stream) is not { } request)
                return;
            _requests.Enqueue(request);
            await Respond(request).Write(stream, _stopped.Token);
            client.Client.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or AuthenticationException)
        {
            // The client went away, which some tests are about.
        }
    }

    private async Task<Stream> OpenAsync(TcpClient client)
    {
        if (_certificate is null)
            return client.GetStream();
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate }, _stopped.Token);
        return tls;
    }

    private async Task<ReceivedRequest?> ReadRequestAsync(Stream stream)
    {
        var head = new StringBuilder();
        byte[] one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, _stopped.Token) == 0)
                return null;
            head.Append((char)one[0]);
        }
        string[] lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        string[] first = lines[0].Split(' ');
        var headers = lines.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        byte[] body = new byte[headers.TryGetValue("Content-Length", out string? length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body, _stopped.Token);
        return new ReceivedRequest(first[0], first[1], headers, Encoding.UTF8.GetString(body));
    }
}

/// <summary>What a client sent.</summary>
internal sealed record ReceivedRequest(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    /// <summary>The form's fields, in order.</summary>
    public IReadOnlyList<(string Name, string Value)> Form =>
        [.. Body.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).Select(pair => (WebUtility.UrlDecode(pair[0]), WebUtility.UrlDecode(pair[1])))];

    public string? Field(string name) => Form.Where(field => field.Name == name).Select(field => field.Value).SingleOrDefault();
}

/// <summary>What a listener writes.</summary>
internal sealed record ScriptedAnswer(Func<Stream, CancellationToken, Task> Write)
{
    public static ScriptedAnswer Json(string body, int status = 200, params string[] headers) => Text(body, "application/json", status, headers);

    public static ScriptedAnswer Text(string body, string type, int status = 200, params string[] headers) =>
        Bytes(Encoding.UTF8.GetBytes(body), [$"Content-Type: {type}", .. headers], status);

    public static ScriptedAnswer Bytes(byte[] body, IEnumerable<string> headers, int status = 200) =>
        new(async (stream, cancellationToken) =>
        {
            await stream.WriteAsync(Head(status, [.. headers, $"Content-Length: {body.Length}"]), cancellationToken);
            await stream.WriteAsync(body, cancellationToken);
        });

    public static ScriptedAnswer Status(int status, params string[] headers) => Bytes([], headers, status);

    /// <summary>Closes without a word.</summary>
    public static ScriptedAnswer Nothing { get; } = new((_, _) => Task.CompletedTask);

    /// <summary>Says nothing and stays.</summary>
    public static ScriptedAnswer Silence(Action onRequest) => new((_, cancellationToken) =>
    {
        onRequest();
        return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    });

    public static ScriptedAnswer Raw(string text) => new((stream, cancellationToken) => stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken).AsTask());

    public static byte[] Head(int status, params string[] headers) =>
        Encoding.Latin1.GetBytes($"HTTP/1.1 {status} -\r\nConnection: close\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n");
}
