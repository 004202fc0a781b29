namespace Nhi.TokenExchange;

/// <summary>Counts the connections of each process over the Unix socket: one that opens and opens them leaves room for the others. Who comes over loopback is not known that early, and counts with all.</summary>
internal sealed class OpenConnections(int mostOfOne)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RunningProcess, int> _open = [];

    /// <returns>False: it has too many.</returns>
    public bool TryEnter(Peer peer)
    {
        if (!peer.IsLocalSocket || peer.Facts.Process is not { } process)
            return true;
        lock (_gate)
        {
            int open = _open.GetValueOrDefault(process);
            if (open >= mostOfOne)
                return false;
            _open[process] = open + 1;
            return true;
        }
    }

    public void Leave(Peer peer)
    {
        if (!peer.IsLocalSocket || peer.Facts.Process is not { } process)
            return;
        lock (_gate)
        {
            if (--_open[process] == 0)
                _open.Remove(process);
        }
    }
}
