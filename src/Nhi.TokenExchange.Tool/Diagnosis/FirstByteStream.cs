using System.Net.Sockets;

namespace Nhi.TokenExchange;

/// <summary>Remembers the first byte that came: of who speaks TLS, the type of its first record (RFC 8446, section 5.1).</summary>
internal sealed class FirstByteStream(Socket socket) : NetworkStream(socket)
{
    public const byte Alert = 21, Handshake = 22;

    /// <summary>It; null: nothing came.</summary>
    public byte? First { get; private set; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count = await base.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        if (count > 0)
            First ??= buffer.Span[0];
        return count;
    }
}
