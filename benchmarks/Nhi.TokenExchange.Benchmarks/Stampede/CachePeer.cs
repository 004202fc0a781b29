namespace Nhi.TokenExchange;

/// <summary>A cache for anything.</summary>
/// <param name="name">The row.</param>
/// <param name="create">Makes the call from the life of an entry, asked when one is made, and the issuer; with it what has to be disposed in the end.</param>
/// <param name="dueAfter">The share of a life after which it refreshes; null where it has no such notion.</param>
public sealed class CachePeer(string name, Func<Func<TimeSpan>, Func<Task<string>>, (Func<Task> Call, IDisposable? Cache)> create, double? dueAfter) : StampedePeer(name)
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);
    private Func<Task>? _call;
    private IDisposable? _cache;
    private TimeSpan _life;

    public override Task CallAsync() => _call!();

    public override Task<bool> PrepareAsync(StampedeMoment moment)
    {
        _life = moment == StampedeMoment.Expired ? Short : Long;
        (_call, _cache) = create(() => _life, IssueAsync);
        return Task.FromResult(!moment.IsRefreshDue() || dueAfter is not null);
    }

    public override Task ComeAsync(StampedeMoment moment)
    {
        _life = Long;
        return Task.Delay(moment == StampedeMoment.Expired ? Short * 3 : Long * (dueAfter!.Value + 0.05));
    }

    public override ValueTask DisposeAsync()
    {
        _cache?.Dispose();
        return base.DisposeAsync();
    }

    private async Task<string> IssueAsync()
    {
        await Gate.PassAsync();
        return "0123456789";
    }
}
