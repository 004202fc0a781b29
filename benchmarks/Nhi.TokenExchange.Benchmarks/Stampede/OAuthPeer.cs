namespace Nhi.TokenExchange;

/// <summary>An SDK that speaks to a token endpoint, where it stands in time is said by <c>expires_in</c> and <c>refresh_in</c>.</summary>
/// <param name="name">The row.</param>
/// <param name="create">Makes the call from the endpoint.</param>
/// <param name="expiredSeconds">A life that the SDK counts as over: it keeps a margin.</param>
/// <param name="dueSeconds">A life in which it refreshes; null where <c>refresh_in</c> says it.</param>
public sealed class OAuthPeer(string name, Func<InMemoryIssuer, Func<Task>> create, int expiredSeconds, int? dueSeconds) : StampedePeer(name)
{
    private Func<Task>? _call;

    public override Task CallAsync() => _call!();

    public override bool Prepare(StampedeMoment moment)
    {
        var issuer = new InMemoryIssuer(Gate);
        if (moment == StampedeMoment.Expired)
            issuer.ExpiresIn = expiredSeconds;
        if (moment.IsRefreshDue() && dueSeconds is { } due)
            issuer.ExpiresIn = due;
        else if (moment.IsRefreshDue())
            issuer.RefreshIn = 1;
        _call = create(issuer);
        return true;
    }

    public override Task ComeAsync(StampedeMoment moment) =>
        moment.IsRefreshDue() && dueSeconds is null ? Task.Delay(TimeSpan.FromSeconds(1.5)) : Task.CompletedTask;
}
