using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A static key, read from a vault: it ends when its owner ends it, and no sooner. Not public: it goes to handlers and openers that were registered when the job was composed, never to job code.</summary>
internal sealed class StaticKey : Credential
{
    // Each guess at a short one costs as many hashes. A read pays for it once, with some tens of milliseconds.
    private const int Iterations = 100_000;

    // What the base would keep as long as it lives.
    private const string NotHere = "static key";

    // A key that the vault named so short a time ago is not read again because its service refuses it.
    private static readonly TimeSpan Recent = TimeSpan.FromMinutes(1);

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
    public KeptKey Kept { get; }

    public string? Version { get; }

    internal override DateTimeOffset HandOutEnd { get; }

    /// <summary>A key may be a password that somebody thought of: the fingerprint, which stands in logs, is made slowly and from the place, so that nobody finds it in a list.</summary>
    public static ulong FingerprintOf(string key, string place)
    {
        Span<byte> hash = stackalloc byte[sizeof(ulong)];
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(key), Encoding.UTF8.GetBytes(place), hash, Iterations, HashAlgorithmName.SHA256);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    public bool WasReadJustNow(TimeProvider time) => time.GetElapsedTime(_readAt) < Recent;
}
