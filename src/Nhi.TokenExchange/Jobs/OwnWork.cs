namespace Nhi.TokenExchange;

/// <summary>What of a recovery only credentials of the job can end, and what may prove to be such: tells when none is left.</summary>
internal sealed class OwnWork
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open;

    /// <summary>Completes when all that was begun is over. What is begun while something else is open counts, too.</summary>
    public Task Done => _done.Task;

    /// <summary>Begins a piece of it.</summary>
    public Piece Begin()
    {
        Interlocked.Increment(ref _open);
        return new Piece(this);
    }

    private void End()
    {
        if (Interlocked.Decrement(ref _open) == 0)
            _done.TrySetResult();
    }

    /// <summary>A piece, which is over when it is disposed; any number of times.</summary>
    public sealed class Piece(OwnWork work) : IDisposable
    {
        private bool _isOver;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isOver, true))
                work.End();
        }
    }
}
