namespace Nhi.TokenExchange;

/// <summary>An SDK that speaks to a token endpoint, where it stands in time is said by <c>expires_in</c> and <c>refresh_in</c>.</summary>
/// <param name="name">The row.</param>
/// <param name="create">Makes the call from the endpoint.</param>
/// <param name="expiredSeconds">A life that the SDK counts as over: it keeps a margin.</param>
/// <param name="dueSeconds">A life in which it refreshes; null where <c>refresh_in</c> says it.</param>
/// <param name="pauseSeconds">The longest time that it waits between two tries at an issuer that is down, and some more.</param>
public sealed class OAuthPeer(string name, Func<InMemoryIssuer, Func<Task>> create, int expiredSeconds, int? dueSeconds, double pauseSeconds) : StampedePeer(name)
{
    private Func<Task>? _call;
    private InMemoryIssuer? _issuer;

    public override TimeSpan LongestPause => TimeSpan.FromSeconds(pauseSeconds);

    public override Task CallAsync() => _call!();

    public override Task<bool> PrepareAsync(StampedeMoment moment)
    {
        _issuer = new InMemoryIssuer(Gate);
        if (moment == StampedeMoment.Expired)
            _issuer.ExpiresIn = expiredSeconds;
        if (moment.IsRefreshDue() && dueSeconds is { } due)
            _issuer.ExpiresIn = due;
        else if (moment.IsRefreshDue())
            _issuer.RefreshIn = 1;
        _call = create(_issuer);
        return Task.FromResult(true);
    }

    public override async Task ComeAsync(StampedeMoment moment)
    {
        if (moment.IsRefreshDue() && dueSeconds is null)
            await Task.Delay(TimeSpan.FromSeconds(1.5));
        _issuer!.ExpiresIn = InMemoryIssuer.Hour;
        _issuer.RefreshIn = null;
    }
}
