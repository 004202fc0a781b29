using System.Text;

namespace Nhi.TokenExchange.Tests.Exchange;

internal sealed class FormBodyTests
{
    [Test]
    public void No_value_becomes_a_field()
    {
        var chance = new Random(7009);
        for (int round = 0; round < 500; round++)
        {
            (string, string)[] fields = [.. Enumerable.Range(0, chance.Next(1, 6)).Select(_ => (Text(chance, 10), Text(chance, 700)))];
            byte[] prepared = new FormBody().Add("grant type&", "a=b").Encode();
            var form = new FormBody();
            foreach ((string name, string value) in fields)
                form.Add(name, value);
            string text = Encoding.ASCII.GetString(form.Encode(prepared));
            Assert.That(new ReceivedRequest("POST", "/", new Dictionary<string, string>(), text).Form, Is.EqualTo(fields.Prepend(("grant type&", "a=b"))));
        }
    }

    [Test]
    public void A_token_needs_no_escape() =>
        Assert.That(Encoding.ASCII.GetString(new FormBody().Add("t", WireSamples.Proof).Encode()), Is.EqualTo($"t={WireSamples.Proof}"));

    [Test]
    public async Task The_body_is_cleared_when_it_is_disposed_of()
    {
        HttpContent content = new FormBody().Add("t", WireSamples.Proof).ToContent("a=b"u8);
        var taken = new BufferTaker();
        await content.CopyToAsync(taken);   // hands its own buffer to the stream
        Assert.That(taken.Taken.ToArray(), Is.Not.All.Zero);
        content.Dispose();
        Assert.That(taken.Taken.ToArray(), Is.All.Zero);
        Assert.That(() => content.CopyToAsync(Stream.Null), Throws.InstanceOf<ObjectDisposedException>(), "nobody sends the zeros");
    }

    [TestCase(typeof(FormBody), "_fields")]
    [TestCase(typeof(SentSecrets), "_values")]
    [TestCase(typeof(TokenAnswer), nameof(TokenAnswer.AccessToken))]
    public void A_debugger_does_not_unfold_it(Type type, string member)
    {
        var browsable = type.GetMember(member, System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic).Single()
            .GetCustomAttributes(typeof(System.Diagnostics.DebuggerBrowsableAttribute), false).Cast<System.Diagnostics.DebuggerBrowsableAttribute>().Single();
        Assert.That(browsable.State, Is.EqualTo(System.Diagnostics.DebuggerBrowsableState.Never));
    }

    private static string Text(Random chance, int most)
    {
        const string letters = "aZ0&=+% \r\n\0\"'<>éλ漢;/?#";
        var text = new StringBuilder();
        for (int i = chance.Next(1, most); i > 0; i--)
            text.Append(chance.Next(20) == 0 ? "\U0001F511" : letters[chance.Next(letters.Length)].ToString());
        return text.ToString();
    }

    private sealed class BufferTaker : MemoryStream
    {
        public ReadOnlyMemory<byte> Taken { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Taken = buffer;
            return default;
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        {
            Taken = buffer.AsMemory(offset, count);
            return Task.CompletedTask;
        }
    }
}
