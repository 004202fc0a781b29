namespace Nhi.TokenExchange;

/// <summary>Counts open connections, so that nobody takes all the room: over the Unix socket those of each process; over loopback all, and once half of the room is taken, another user's are turned away.</summary>
/// <remarks>Who comes over loopback is told by a look at the kernel's table of sockets. That costs something, so nobody is asked for while there is room enough, and one look serves all that wait for one. Where the kernel is not Linux it does not tell, and nobody is turned away so.</remarks>
/// <param name="mostOfOne">Of one process, over the Unix socket.</param>
/// <param name="most">Of all.</param>
internal sealed class OpenConnections(int mostOfOne, int most)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RunningProcess, int> _ofProcesses = [];
    private int _onLoopback;

    /// <returns>Why it is turned away; null: it has entered.</returns>
    public string? Enter(Peer peer) => !peer.IsLocalSocket ? EnterOnLoopback(peer)
        : peer.Facts.Process is { } process && !TryEnter(process) ? "this process has too many connections" : null;

    /// <summary>One that has entered is closed.</summary>
    public void Leave(Peer peer)
    {
        lock (_gate)
        {
            if (!peer.IsLocalSocket)
                _onLoopback--;
            else if (peer.Facts.Process is { } process && --_ofProcesses[process] == 0)
                _ofProcesses.Remove(process);
        }
    }

    private bool TryEnter(RunningProcess process)
    {
        lock (_gate)
        {
            int open = _ofProcesses.GetValueOrDefault(process);
            if (open >= mostOfOne)
                return false;
            _ofProcesses[process] = open + 1;
            return true;
        }
    }

    private string? EnterOnLoopback(Peer peer)
    {
        bool isHalfTaken;
        lock (_gate)
            isHalfTaken = _onLoopback++ >= most / 2;
        bool hasEntered = false;
        try
        {
            hasEntered = !isHalfTaken || !peer.IsAnotherUser;
            return hasEntered ? null : "half of all connections are open, and the rest is for this broker's own user";
        }
        finally
        {
            if (!hasEntered)
                Leave(peer);
        }
    }
}
