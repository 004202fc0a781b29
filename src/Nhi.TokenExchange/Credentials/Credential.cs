using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Something an issuer gave to a job: it always ends, never changes, and can't be printed.</summary>
/// <remarks>
/// Derive from this to bring a kind of your own (a ticket, a signed URL). Equality is identity: a provider tells
/// a rejected credential from its successor by reference. A text becomes a credential only in a constructor of a
/// derived class, and each exchange must make a new instance: the instance also carries its lease.
/// </remarks>
[DebuggerDisplay("{ToString(),nq}")]
public abstract class Credential
{
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _secret;

    private readonly long _expiresAtUtcTicks;
    private readonly ulong _fingerprint;

    /// <summary>The lease of this credential. Belongs to the job session; see <see cref="LeaseRecord"/>.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    internal LeaseRecord Lease;

    /// <summary>Makes a credential.</summary>
    /// <param name="secret">What the target wants to see. Not empty.</param>
    /// <param name="expiresAt">The instant from which the issuer says the credential is dead.</param>
    /// <exception cref="ArgumentException"><paramref name="secret"/> is empty.</exception>
    protected Credential(string secret, DateTimeOffset expiresAt)
        : this(secret, expiresAt, FingerprintOf(secret))
    {
    }

    private protected Credential(string secret, DateTimeOffset expiresAt, ulong fingerprint)
    {
        _secret = secret;
        _expiresAtUtcTicks = expiresAt.UtcTicks;
        _fingerprint = fingerprint;
    }

    /// <summary>The instant from which the issuer says the credential is dead (UTC).</summary>
    public DateTimeOffset ExpiresAt => new(_expiresAtUtcTicks, TimeSpan.Zero);

    /// <summary>
    /// From this instant (UTC) on no provider hands it out: its end less a margin, or sooner where policy, proof or an earlier hop want it.
    /// For libraries that keep a copy. <see cref="ExpiresAt"/> for a credential that no job gave.
    /// </summary>
    public DateTimeOffset UnusableFrom => Lease.Owner is { } owner ? owner.Session.Clock.InstantOf(Lease.WallEnd) : ExpiresAt;

    /// <summary>When its replacement is due (UTC): who asks the provider from then on gets the next one as soon as there is one. <see cref="ExpiresAt"/> for a credential that no job gave.</summary>
    public DateTimeOffset RefreshAt => UnusableFrom.AddTicks(-Lease.RefreshLead * TimeSpan.TicksPerSecond);

    /// <summary>The first 16 hexadecimal digits of the SHA-256 of the secret: joins audit, log and issuer's ledger.</summary>
    public string Fingerprint => _fingerprint.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>From this instant on it must not be handed out, whatever a target's margin is. It is its end, but for a static key, which has none.</summary>
    internal virtual DateTimeOffset HandOutEnd => ExpiresAt;

    /// <summary>When it dies by itself; null: never, as far as anybody knows.</summary>
    internal DateTimeOffset? KnownEnd => ExpiresAt == DateTimeOffset.MaxValue ? null : ExpiresAt;

    /// <summary>The secret itself, for derived kinds.</summary>
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    protected string Secret => _secret;

    /// <summary>Kind, fingerprint and end; never the secret.</summary>
    public sealed override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{GetType().Name}({Fingerprint}, ends {ExpiresAt:O})");

    /// <summary>Identity: two credentials are equal only if they are the same object.</summary>
    public sealed override bool Equals(object? obj) => ReferenceEquals(this, obj);

    /// <summary>Identity.</summary>
    public sealed override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    internal static ulong FingerprintOf(string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(secret), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(hash);
    }
}
