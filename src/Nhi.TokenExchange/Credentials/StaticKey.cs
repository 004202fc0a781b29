using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A static key, read from a vault: it ends when its owner ends it, and no sooner. Not public: it goes to handlers and openers that were registered when the job was composed, never to job code.</summary>
internal sealed class StaticKey : Credential
{
    // What the base would keep as long as it lives.
    private const string NotHere = "static key";

    // A key that the vault named so short a time ago is not read again because its service refuses it.
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

    // Never written down: who reads the logs can't try passwords against a fingerprint.
    private static readonly byte[] OfThisProcess = RandomNumberGenerator.GetBytes(HMACSHA256.HashSizeInBytes);

    private readonly long _readAt;

    /// <summary>Makes one of what a vault gave.</summary>
    /// <param name="kept">Where the key is.</param>
    /// <param name="fingerprint">See <see cref="FingerprintOf(string, string)"/>.</param>
    /// <param name="version">In the vault's words.</param>
    /// <param name="handOutEnd">When it is handed out no more.</param>
    /// <param name="readAt">The timestamp before it was asked for.</param>
    public StaticKey(KeptKey kept, ulong fingerprint, string? version, DateTimeOffset handOutEnd, long readAt)
        : base(NotHere, DateTimeOffset.MaxValue, fingerprint)
    {
        Kept = kept;
        Version = version;
        HandOutEnd = handOutEnd;
        _readAt = readAt;
    }

    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    internal KeptKey Kept { get; }

    public string? Version { get; }

    internal override DateTimeOffset HandOutEnd { get; }

    /// <summary>
    /// A key may be a password that somebody thought of, and the fingerprint stands in logs: it is made with random bytes of this process, without which nobody finds it in a list. So it joins what one process says; across processes the
    /// vault's version does.
    /// </summary>
    public static ulong FingerprintOf(string key, string place) => FingerprintOf(key, place, OfThisProcess);

    /// <summary>As <see cref="FingerprintOf(string, string)"/>, with the random bytes of some process.</summary>
    public static ulong FingerprintOf(string key, string place, ReadOnlySpan<byte> process)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(process, Encoding.UTF8.GetBytes($"{place}\0{key}"), hash);   // neither has a NUL
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    public bool WasReadJustNow(TimeProvider time) => time.GetElapsedTime(_readAt) < Recent;
}
