using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>What of a recovery only credentials of the job can end, and what may prove to be such: tells when none is left.</summary>
internal sealed class OwnWork
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<Piece, bool> _open = new(ReferenceEqualityComparer.Instance);

    /// <summary>Completes when all that was begun is over. What is begun while something else is open counts, too.</summary>
    public Task Done => _done.Task;

    /// <summary>Begins a piece of it.</summary>
    public Piece Begin()
    {
        var piece = new Piece(this);
        _open.TryAdd(piece, true);
        return piece;
    }

    private void End(Piece piece)
    {
        if (_open.TryRemove(piece, out _) && _open.IsEmpty)
            _done.TrySetResult();
    }

    /// <summary>A piece, which is over when it is disposed; any number of times.</summary>
    public sealed class Piece(OwnWork work) : IDisposable
    {
        public void Dispose() => work.End(this);
    }
}
