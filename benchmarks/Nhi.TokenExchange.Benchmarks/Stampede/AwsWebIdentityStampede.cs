namespace Nhi.TokenExchange;

/// <summary>AWS's class for a federated workload: it renews fifteen minutes before the end, without being told to.</summary>
public sealed class AwsWebIdentityStampede() : StampedePeer("AWS `AssumeRoleWithWebIdentityCredentials`")
{
    private InMemorySts? _sts;
    private AwsWebIdentityPeer? _credentials;

    public override TimeSpan LongestPause => TimeSpan.FromSeconds(2.5);

    public override Task CallAsync() => _credentials!.GetCredentialsAsync();

    public override Task<bool> PrepareAsync(StampedeMoment moment)
    {
        _sts = new InMemorySts(Gate);
        if (moment == StampedeMoment.Expired)
            _sts.ExpiresIn = TimeSpan.FromSeconds(1);
        if (moment.IsRefreshDue())
            _sts.ExpiresIn = TimeSpan.FromMinutes(10);
        _credentials = new AwsWebIdentityPeer(_sts);
        return Task.FromResult(true);
    }

    public override async Task ComeAsync(StampedeMoment moment)
    {
        if (moment == StampedeMoment.Expired)
            await Task.Delay(TimeSpan.FromSeconds(1.5));
        _sts!.ExpiresIn = TimeSpan.FromHours(1);
    }

    public override ValueTask DisposeAsync()
    {
        _credentials?.Dispose();
        return base.DisposeAsync();
    }
}
