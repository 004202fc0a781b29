using System.Runtime.InteropServices;

namespace Nhi.TokenExchange.Soak;

/// <summary>Leaves memory of the C library behind with each exchange: 640 MiB in all, since the machine has to go on.</summary>
internal sealed class NativeHoardingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    private const int MostPieces = 40;

    private static readonly byte[] Piece = [.. Enumerable.Repeat((byte)1, 16 * 1024 * 1024)];

    private static int _pieces;

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _pieces) <= MostPieces)
            Marshal.Copy(Piece, 0, Marshal.AllocHGlobal(Piece.Length), Piece.Length);   // memory that is never written is not held
        return base.ExchangeAsync(request, cancellationToken);
    }
}
