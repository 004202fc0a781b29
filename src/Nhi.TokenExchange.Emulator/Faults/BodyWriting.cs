using System.Text;
using Microsoft.AspNetCore.Http;

namespace Nhi.TokenExchange;

/// <summary>How an answer's body goes over the wire.</summary>
internal sealed class BodyWriting
{
    public static readonly BodyWriting Whole = new((http, body, _) => WriteAsync(http, body));

    /// <summary>Nothing at all: the connection is reset in place of an answer.</summary>
    public static readonly BodyWriting Nothing = new((http, _, _) =>
    {
        ConnectionReset.Now(http);
        return Task.CompletedTask;
    }) { Cuts = true };

    private readonly Func<HttpContext, byte[], TimeProvider, Task> _write;

    private BodyWriting(Func<HttpContext, byte[], TimeProvider, Task> write) => _write = write;

    /// <summary>Whether the caller does not get the whole answer.</summary>
    public bool Cuts { get; private init; }

    public static BodyWriting TruncateAfter(int bytes) => new(async (http, body, _) =>
    {
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body.AsMemory(0, Math.Min(bytes, body.Length)), http.RequestAborted).ConfigureAwait(false);
        await http.Response.Body.FlushAsync(http.RequestAborted).ConfigureAwait(false);
        http.Abort();
    }) { Cuts = true };

    public static BodyWriting DripEvery(TimeSpan interval) => new(async (http, body, time) =>
    {
        http.Response.ContentLength = body.Length;
        await http.Response.Body.FlushAsync(http.RequestAborted).ConfigureAwait(false);
        for (int at = 0; at < body.Length; at++)
        {
            await Task.Delay(interval, time, http.RequestAborted).ConfigureAwait(false);
            await http.Response.Body.WriteAsync(body.AsMemory(at, 1), http.RequestAborted).ConfigureAwait(false);
            await http.Response.Body.FlushAsync(http.RequestAborted).ConfigureAwait(false);
        }
    });

    public static BodyWriting HugeOf(long bytes) => new(async (http, _, _) =>
    {
        byte[] piece = Encoding.ASCII.GetBytes(new string('x', 16 * 1024));
        await http.Response.Body.WriteAsync("{\"access_token\":\""u8.ToArray(), http.RequestAborted).ConfigureAwait(false);
        for (long left = bytes; left > 0; left -= piece.Length)
            await http.Response.Body.WriteAsync(piece.AsMemory(0, (int)Math.Min(piece.Length, left)), http.RequestAborted).ConfigureAwait(false);
        await http.Response.Body.WriteAsync("\"}"u8.ToArray(), http.RequestAborted).ConfigureAwait(false);
    });

    public Task RunAsync(HttpContext http, byte[] body, TimeProvider time) => _write(http, body, time);

    private static async Task WriteAsync(HttpContext http, byte[] body)
    {
        if (http.Response.StatusCode == 204)
            return;   // RFC 9110 §15.3.5: it has no content; the server breaks a connection on which one is written, if only an empty one
        http.Response.ContentLength = body.Length;
        await http.Response.Body.WriteAsync(body, http.RequestAborted).ConfigureAwait(false);
    }
}
