using System.Diagnostics.CodeAnalysis;

namespace Nhi.TokenExchange;

/// <summary>How many may do something at once: who has a turn does it, and gives the turn back.</summary>
/// <param name="count">How many turns there are.</param>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody takes holds nothing that has to be released.")]
internal sealed class Turns(int count)
{
    private readonly SemaphoreSlim _free = new(count);

    /// <summary>Waits for a turn.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>False: given up.</returns>
    public async Task<bool> TakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Takes a turn if one is free; waits for none.</summary>
    /// <returns>False: none is.</returns>
    public bool TryTake() => _free.Wait(0);

    public void GiveBack() => _free.Release();

    /// <summary>Waits until all turns are given back, and keeps them.</summary>
    public async Task TakeAllAsync()
    {
        for (int i = 0; i < count; i++)
            await _free.WaitAsync().ConfigureAwait(false);
    }
}
