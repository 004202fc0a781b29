using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>How many may do something at once: who has a turn does it, and gives the turn back.</summary>
internal sealed class Turns
{
    private readonly Channel<int> _free;
    private readonly int _count;

    /// <param name="count">How many turns there are.</param>
    public Turns(int count)
    {
        _count = count;
        _free = Channel.CreateBounded<int>(count);
        for (int i = 0; i < count; i++)
            GiveBack();
    }

    /// <summary>Waits for a turn.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False: given up.</returns>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _free.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void GiveBack() => _free.Writer.TryWrite(0);

    /// <summary>Waits until all turns are given back, and keeps them.</summary>
    public async Task TakeAllAsync()
    {
        for (int i = 0; i < _count; i++)
            await _free.Reader.ReadAsync().ConfigureAwait(false);
    }
}
