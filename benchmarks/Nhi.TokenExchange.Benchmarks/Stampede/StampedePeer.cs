namespace Nhi.TokenExchange;

/// <summary>One cache before a stampede. A new one is made for every moment.</summary>
public abstract class StampedePeer(string name) : IAsyncDisposable
{
    public string Name { get; } = name;

    /// <summary>Stands before its issuer.</summary>
    public IssuerGate Gate { get; } = new();

    /// <summary>The longest time between two tries of one exchange: when nobody has asked for so long, the tries are over. Zero: there is one try.</summary>
    public virtual TimeSpan LongestPause => TimeSpan.Zero;

    /// <summary>How long, at most, it lets its issuer be after the first failure in a row, after the second …; empty where that cannot be passed by moving its clock.</summary>
    public virtual IReadOnlyList<TimeSpan> Backoffs => [];

    /// <summary>Asks for the token once.</summary>
    public abstract Task CallAsync();

    /// <summary>Prepares, before the first call, that the moment can come. False: the peer has no such notion, or another row has it.</summary>
    public abstract Task<bool> PrepareAsync(StampedeMoment moment);

    /// <summary>Lets the moment come, after the first call. What is issued from now on lives long: a second flight is then one too many.</summary>
    public virtual Task ComeAsync(StampedeMoment moment) => Task.CompletedTask;

    /// <summary>Moves the clock past a back-off.</summary>
    /// <param name="backoff">One of <see cref="Backoffs"/>.</param>
    public virtual void Pass(TimeSpan backoff) => throw new NotSupportedException("It has no clock that can be moved.");

    public virtual ValueTask DisposeAsync() => default;
}
