using System.Buffers;
using System.Net;

namespace Nhi.TokenExchange;

/// <summary>An answer's body, read whole up to a limit into a pooled buffer that is cleared on disposal: it may hold a token.</summary>
internal sealed class BoundedContent : HttpContent
{
    /// <summary>No answer of an issuer comes near it.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const int FirstBytes = 8 * 1024;

    private byte[] _buffer;
    private readonly int _length;

    private BoundedContent(byte[] buffer, int length, HttpContent original)
    {
        _buffer = buffer;
        _length = length;
        Headers.ContentType = original.Headers.ContentType;
        foreach (string encoding in original.Headers.ContentEncoding)
            Headers.ContentEncoding.Add(encoding);
    }

    /// <summary>The body. Gone with this object.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Reads a body to its end, or takes it as it is if that was done already.</summary>
    /// <exception cref="TokenExchangeException">It is longer than the limit; reading has stopped there.</exception>
    public static async ValueTask<BoundedContent> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content is BoundedContent bounded)
            return bounded;
        if (content.Headers.ContentLength > MaxBytes)
            throw TooLong();
        Stream stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstBytes);
        int length = 0;
        try
        {
            while (true)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
                if (read == 0)
                    return new BoundedContent(buffer, length, content);   // disposed by the caller with its response
                length += read;
                if (length > MaxBytes)
                    throw TooLong();
                if (length == buffer.Length)
                    buffer = Grow(buffer);
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
            throw;
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(_buffer, 0, _length);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new MemoryStream(_buffer, 0, _length, writable: false));

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        byte[] buffer = _buffer;
        _buffer = [];
        if (disposing && buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        base.Dispose(disposing);
    }

    private static byte[] Grow(byte[] buffer)
    {
        byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return larger;
    }

    private static TokenExchangeException TooLong() =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer is longer than {MaxBytes} bytes; reading stopped there.")
        {
            Hint = "Check that the URI is the issuer's endpoint.",
        };
}
