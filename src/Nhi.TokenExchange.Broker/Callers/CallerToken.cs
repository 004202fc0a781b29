using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What proves a caller: 256 random bits that one client was given.</summary>
internal sealed class CallerToken
{
    private readonly byte[] _hash;

    private CallerToken(string text)
    {
        Text = text;
        _hash = Hash(text);
    }

    /// <summary>The token: for the client's environment and its file, and for nothing else.</summary>
    public string Text { get; }

    public static CallerToken New() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)));

    /// <summary>Finds it among many: half of its hash. How long a look-up takes tells of hashes, which nobody can choose, and never of the token; the other half is compared by <see cref="Matches"/>.</summary>
    public UInt128 Selector => SelectorOf(_hash);

    public static UInt128 SelectorOf(ReadOnlySpan<byte> hash) => BinaryPrimitives.ReadUInt128LittleEndian(hash);

    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    /// <summary>Compares in a time that says nothing of either.</summary>
    public bool Matches(ReadOnlySpan<byte> hash) => CryptographicOperations.FixedTimeEquals(_hash, hash);

    public override string ToString() => "CallerToken";
}
