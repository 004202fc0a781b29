namespace Nhi.TokenExchange;

/// <summary>Counts what happens on any thread, for one who tells of it now and then.</summary>
internal sealed class Tally
{
    private long _count;

    public void Add() => Interlocked.Increment(ref _count);

    /// <summary>How many came since it was taken last: each is given once.</summary>
    public long Take() => Interlocked.Exchange(ref _count, 0);
}
