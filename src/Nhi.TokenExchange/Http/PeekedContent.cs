namespace Nhi.TokenExchange;

/// <summary>A body whose start was read already: gives the start again, then the rest.</summary>
internal static class PeekedContent
{
    /// <summary>Stands in for a content, with its headers; disposes it with itself.</summary>
    public static HttpContent Of(HttpContent content, ReadOnlyMemory<byte> start, Stream rest)
    {
        var peeked = new StreamContent(new PeekedStream(content, start, rest));
        foreach ((string name, System.Net.Http.Headers.HeaderStringValues values) in content.Headers.NonValidated)
            peeked.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)values);
        return peeked;
    }

    private sealed class PeekedStream(HttpContent content, ReadOnlyMemory<byte> start, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _start = start;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer) => _start.IsEmpty ? rest.Read(buffer) : ReadStart(buffer);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _start.IsEmpty ? rest.ReadAsync(buffer, cancellationToken) : new ValueTask<int>(ReadStart(buffer.Span));

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                rest.Dispose();
                content.Dispose();
            }
            base.Dispose(disposing);
        }

        private int ReadStart(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, _start.Length);
            _start.Span[..count].CopyTo(buffer);
            _start = _start[count..];
            return count;
        }
    }
}
