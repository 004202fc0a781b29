using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>Numbers the flights of one session. A lease keeps the number (8 bytes); audit shows it as an id that is unique everywhere.</summary>
internal sealed class FlightNumbers
{
    private readonly byte[] _prefix = RandomNumberGenerator.GetBytes(8);
    private long _last;

    public long Next() => Interlocked.Increment(ref _last);

    /// <summary>The session of a flight: the id of its flight 0.</summary>
    public static Guid SessionOf(Guid flight)
    {
        Span<byte> bytes = stackalloc byte[16];
        flight.TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[8..].Clear();
        return new Guid(bytes, bigEndian: true);
    }

    public Guid IdOf(long number)
    {
        Span<byte> bytes = stackalloc byte[16];
        _prefix.CopyTo(bytes);
        BinaryPrimitives.WriteInt64BigEndian(bytes[8..], number);
        return new Guid(bytes, bigEndian: true);
    }
}
