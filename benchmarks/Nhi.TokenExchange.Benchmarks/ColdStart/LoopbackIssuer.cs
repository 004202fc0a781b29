using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A token endpoint on loopback that answers everybody the same at once: in another process than the one whose start is measured.</summary>
public sealed class LoopbackIssuer : IAsyncDisposable
{
    private const string Json = """{"token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","scope":"read","expires_in":3600,"access_token":"0123456789"}""";

    private static readonly string Xml = InMemorySts.AnswerUntil("2099-01-01T00:00:00Z");

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _accepting;

    public LoopbackIssuer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (SocketException)
        {
            // Stopped.
        }
    }

    private static async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            client.NoDelay = true;
            NetworkStream stream = client.GetStream();
            byte[] buffer = new byte[16 * 1024];
            int length = 0;
            while (!IsWhole(buffer.AsSpan(0, length)))
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length));
                if (read == 0)
                    return;
                length += read;
            }
            bool isAws = buffer.AsSpan(0, length).IndexOf("Action=AssumeRole"u8) >= 0;
            string body = isAws ? Xml : Json;
            string head = $"HTTP/1.1 200 OK\r\nContent-Type: {(isAws ? "text/xml" : "application/json")}\r\nContent-Length: {Encoding.ASCII.GetByteCount(body)}\r\nConnection: close\r\n\r\n";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(head + body));
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> request)
    {
        int end = request.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        string[] lines = Encoding.ASCII.GetString(request[..end]).Split("\r\n");
        string? length = Array.Find(lines, line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return length is null || request.Length - end - 4 >= int.Parse(length["Content-Length:".Length..], System.Globalization.CultureInfo.InvariantCulture);
    }
}
