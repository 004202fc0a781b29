using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The last line of a chain: what the next one carries on. Immutable, so that lines that did not get to the disk leave no trace in it.</summary>
/// <param name="Sequence">The number of the line; 0 before the first.</param>
/// <param name="Hash">Its hash, in lower-case hex.</param>
internal readonly record struct AuditHead(long Sequence, string Hash)
{
    /// <summary>Before the first line.</summary>
    public static AuditHead None { get; } = new(0, ChainLine.NoHash);

    /// <summary>Writes the next line: <c>{"seq":1,"prev":"…","event":{…},"hash":"…"}</c>. Hashed are a tag and the very bytes before <c>,"hash":</c>, so that no canonical form of JSON is needed.</summary>
    /// <param name="json">The event, one JSON object without a line break.</param>
    /// <param name="into">Where the line goes.</param>
    /// <returns>The line, as the head.</returns>
    public AuditHead Append(ReadOnlySpan<byte> json, IBufferWriter<byte> into)
    {
        byte[] begin = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"seq\":{Sequence + 1},\"prev\":\"{Hash}\",\"event\":"));
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        using (var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            hash.AppendData(ChainLine.Tag);
            hash.AppendData(begin);
            hash.AppendData(json);
            hash.GetHashAndReset(digest);
        }
        var line = new AuditHead(Sequence + 1, Convert.ToHexStringLower(digest));
        into.Write(begin);
        into.Write(json);
        into.Write(Encoding.ASCII.GetBytes($",\"hash\":\"{line.Hash}\"}}\n"));
        return line;
    }

    /// <summary>What is said of the line where nobody who may write the file can change it: <c>chain:seq:hash</c>.</summary>
    public string AnchorOf(Guid chain) => new AuditAnchor(chain, Sequence, Hash).ToString();
}
