using System.Buffers;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>An answer's body is read whole up to its limit, and nothing of it stays behind in the pool's buffers.</summary>
internal sealed class BoundedContentTests
{
    private const int First = 8 * 1024;

    [Test]
    public async Task It_is_what_was_sent_and_can_be_read_alone()
    {
        using var original = new ByteArrayContent(BodyOf(300));
        original.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        original.Headers.ContentEncoding.Add("gzip");

        using BoundedContent content = await BoundedContent.ReadAsync(original, CancellationToken.None);

        Assert.That(content.Bytes.SequenceEqual(BodyOf(300)));
        Assert.That((content.Headers.ContentLength, content.Headers.ContentType?.MediaType, content.Headers.ContentEncoding.Single()), Is.EqualTo((300L, "application/json", "gzip")));
        Assert.That((await content.ReadAsStreamAsync()).CanWrite, Is.False);
        Assert.That(await content.ReadAsByteArrayAsync(), Is.EqualTo(BodyOf(300)));
        Assert.That(await BoundedContent.ReadAsync(content, CancellationToken.None), Is.SameAs(content), "it was read already");
    }

    [TestCase(0, First)]
    [TestCase(300, First)]
    [TestCase(First - 1, First)]
    [TestCase(First, First, 2 * First)]
    [TestCase((2 * First) + 1, First, 2 * First, 4 * First)]
    public void Each_buffer_that_held_it_is_given_back_empty(int length, params int[] sizes)
    {
        byte[][] lent = [.. sizes.Select(NextLent)];
        BoundedContent content = Read(new ByteArrayContent(BodyOf(length)));
        Assert.That(content.Bytes.SequenceEqual(BodyOf(length)));

        content.Dispose();
        content.Dispose();

        AssertGivenBackEmpty(lent);
        Assert.That(() => content.ReadAsByteArrayAsync(), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void So_it_is_where_the_reading_fails()
    {
        byte[][] lent = [NextLent(First)];

        Assert.That(() => Read(new StreamContent(new Dripping(BodyOf(300), new IOException("cut")))), Throws.TypeOf<IOException>());

        AssertGivenBackEmpty(lent);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void One_byte_beyond_the_limit_is_too_many(bool saysItsLength)
    {
        Assert.That(Read(Content(BoundedContent.MaxBytes)).Bytes.Length, Is.EqualTo(BoundedContent.MaxBytes));
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Read(Content(BoundedContent.MaxBytes + 1)))!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.IssuerAnswerMalformed, false)));
        Assert.That((refused.Detail, refused.Hint), Is.EqualTo(("The answer is longer than 1048576 bytes; reading stopped there.", "Check that the URI is the issuer's endpoint.")));

        HttpContent Content(int length) => saysItsLength ? new ByteArrayContent(new byte[length]) : new StreamContent(new Dripping(new byte[length]));
    }

    // The pool lends a thread what it gave back last: all of a test stays on one.
    private static byte[] NextLent(int size)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(size);
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return buffer;
    }

    private static void AssertGivenBackEmpty(byte[][] lent)
    {
        foreach (byte[] buffer in lent)
        {
            byte[] again = ArrayPool<byte>.Shared.Rent(buffer.Length), other = ArrayPool<byte>.Shared.Rent(buffer.Length);
            Assert.That(again, Is.SameAs(buffer), "it was given back");
            Assert.That(other, Is.Not.SameAs(buffer), "and once");
            Assert.That(buffer.AsSpan().IndexOfAnyExcept((byte)0), Is.EqualTo(-1), "nothing is in it");
            ArrayPool<byte>.Shared.Return(other);
            ArrayPool<byte>.Shared.Return(again);
        }
    }

    private static BoundedContent Read(HttpContent content) => BoundedContent.ReadAsync(content, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private static byte[] BodyOf(int length) => Encoding.ASCII.GetBytes(new string('x', length));

    /// <summary>A stream that does not say how long it is, and perhaps breaks at its end.</summary>
    private sealed class Dripping(byte[] bytes, Exception? end = null) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position == Length && end is not null ? throw end : base.ReadAsync(buffer, cancellationToken);
    }
}
