namespace Nhi.TokenExchange.Soak;

/// <summary>What is only counted.</summary>
internal sealed class Counts
{
    private long _calls;
    private long _handOuts;
    private long _gaveUp;
    private long _failed;
    private long _used;
    private int _unobserved;
    private int _jobs;

    public void Called() => Interlocked.Increment(ref _calls);

    public void HandedOut() => Interlocked.Increment(ref _handOuts);

    public void GaveUp() => Interlocked.Increment(ref _gaveUp);

    public void Failed() => Interlocked.Increment(ref _failed);

    public void Used() => Interlocked.Increment(ref _used);

    public void Unobserved() => Interlocked.Increment(ref _unobserved);

    public void JobEnded() => Interlocked.Increment(ref _jobs);

    public ChildSummary ToSummary() => new(_calls, _handOuts, _gaveUp, _failed, _jobs, _unobserved, _used);
}
