using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>One line of an audit file: <c>{"seq":1,"prev":"…","event":{…},"hash":"…"}</c>, to the byte.</summary>
/// <remarks><c>hash</c> is SHA-256 over a tag and the bytes of the line before <c>,"hash":</c>; <c>prev</c> is the hash of the line before, of a chain's first line 64 zeros. So no canonical form of JSON is needed.</remarks>
internal readonly ref struct ChainLine
{
    /// <summary>No line of ours is longer, its end aside.</summary>
    public const int Longest = AuditEventJson.LongestEvent + 1024;

    private const int HexDigits = 2 * SHA256.HashSizeInBytes;

    // ,"hash":" before the digits, "} behind them.
    private const int SuffixLength = 9 + HexDigits + 2;

    private static readonly SearchValues<byte> LowerHex = SearchValues.Create("0123456789abcdef"u8);

    private ChainLine(long sequence, ReadOnlySpan<byte> previous, Range @event, ReadOnlySpan<byte> hash)
    {
        Sequence = sequence;
        Previous = previous;
        Event = @event;
        Hash = hash;
    }

    /// <summary>What the first line of a chain names as the hash before it.</summary>
    public static string NoHash { get; } = new('0', HexDigits);

    public long Sequence { get; }

    /// <summary>Hex digits.</summary>
    public ReadOnlySpan<byte> Previous { get; }

    /// <summary>Where in the line the event stands.</summary>
    public Range Event { get; }

    /// <summary>Hex digits.</summary>
    public ReadOnlySpan<byte> Hash { get; }

    /// <summary>Stands before what is hashed, so that no hash of anything else is one of a line.</summary>
    public static ReadOnlySpan<byte> Tag => "nhi-audit-line-v1\n"u8;

    /// <summary>Takes a line apart.</summary>
    /// <param name="line">Without its end.</param>
    /// <param name="read">The parts.</param>
    /// <returns>False: it has another form.</returns>
    public static bool TryRead(ReadOnlySpan<byte> line, out ChainLine read)
    {
        read = default;
        ReadOnlySpan<byte> rest = line;
        if (!Skip(ref rest, "{\"seq\":"u8) || rest.IsEmpty || rest[0] is not (>= (byte)'1' and <= (byte)'9')
            || !Utf8Parser.TryParse(rest, out long sequence, out int digits))
            return false;
        rest = rest[digits..];
        if (!Skip(ref rest, ",\"prev\":\""u8) || !TakeHash(ref rest, out ReadOnlySpan<byte> previous) || !Skip(ref rest, "\",\"event\":"u8))
            return false;
        int start = line.Length - rest.Length;
        int end = line.Length - SuffixLength;
        if (end < start)
            return false;
        ReadOnlySpan<byte> suffix = line[end..];
        if (!Skip(ref suffix, ",\"hash\":\""u8) || !TakeHash(ref suffix, out ReadOnlySpan<byte> hash) || !suffix.SequenceEqual("\"}"u8))
            return false;
        read = new ChainLine(sequence, previous, start..end, hash);
        return true;
    }

    /// <summary>Whether the hash is that of the line's bytes.</summary>
    /// <param name="line">The line that this was read from.</param>
    public bool IsWhatWasHashed(ReadOnlySpan<byte> line)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(Tag);
        sha.AppendData(line[..Event.End.Value]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        sha.GetHashAndReset(digest);
        Span<byte> hex = stackalloc byte[HexDigits];
        return Convert.TryToHexStringLower(digest, hex, out _) && hex.SequenceEqual(Hash);
    }

    /// <summary>What a line of this number begins with, that follows one with this hash.</summary>
    public static byte[] BeginningOf(long sequence, string previous) => System.Text.Encoding.ASCII.GetBytes(FormattableString.Invariant($"{{\"seq\":{sequence},\"prev\":\"{previous}\",\"event\":{{"));

    private static bool Skip(scoped ref ReadOnlySpan<byte> rest, scoped ReadOnlySpan<byte> expected)
    {
        if (!rest.StartsWith(expected))
            return false;
        rest = rest[expected.Length..];
        return true;
    }

    private static bool TakeHash(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> hash)
    {
        hash = rest.Length < HexDigits ? default : rest[..HexDigits];
        if (hash.IsEmpty || hash.ContainsAnyExcept(LowerHex))
            return false;
        rest = rest[HexDigits..];
        return true;
    }
}
