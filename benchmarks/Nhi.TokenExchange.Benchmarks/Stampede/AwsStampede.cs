namespace Nhi.TokenExchange;

/// <summary>A subclass of AWS's public base class, which renews before the end where it is told to.</summary>
public sealed class AwsStampede() : StampedePeer("AWS `RefreshingAWSCredentials` (a subclass, preempt 60 s)")
{
    private AwsPeer? _credentials;

    public override Task CallAsync() => _credentials!.GetCredentialsAsync();

    public override Task<bool> PrepareAsync(StampedeMoment moment)
    {
        _credentials = new AwsPeer(Gate);
        if (moment == StampedeMoment.Expired)
            _credentials.ExpiresIn = TimeSpan.FromSeconds(1);
        if (moment.IsRefreshDue())
            _credentials.ExpiresIn = TimeSpan.FromSeconds(50);
        return Task.FromResult(true);
    }

    public override async Task ComeAsync(StampedeMoment moment)
    {
        if (moment == StampedeMoment.Expired)
            await Task.Delay(TimeSpan.FromSeconds(1.5));
        _credentials!.ExpiresIn = TimeSpan.FromHours(1);
        _credentials.PreemptExpiryTime = TimeSpan.FromSeconds(60);
    }

    public override ValueTask DisposeAsync()
    {
        _credentials?.Dispose();
        return base.DisposeAsync();
    }
}
