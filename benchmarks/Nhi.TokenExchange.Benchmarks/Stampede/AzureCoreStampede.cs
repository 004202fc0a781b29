namespace Nhi.TokenExchange;

/// <summary>Azure.Core's policy: one cache per policy, so per client.</summary>
public sealed class AzureCoreStampede() : StampedePeer("Azure.Core `BearerTokenAuthenticationPolicy`")
{
    private AzureCorePolicy? _policy;
    private CountedTokenCredential? _credential;

    public override Task CallAsync() => _policy!.AuthorizeNewAsync().AsTask();

    public override Task<bool> PrepareAsync(StampedeMoment moment)
    {
        _credential = new CountedTokenCredential(Gate);
        if (moment == StampedeMoment.Expired)
            _credential.ExpiresIn = TimeSpan.FromSeconds(-1);
        if (moment.IsRefreshDue())
            _credential.RefreshIn = TimeSpan.FromSeconds(-1);
        _policy = new AzureCorePolicy(_credential);
        return Task.FromResult(true);
    }

    public override Task ComeAsync(StampedeMoment moment)
    {
        _credential!.ExpiresIn = CountedTokenCredential.Life;
        _credential.RefreshIn = CountedTokenCredential.FreshFor;
        return Task.CompletedTask;
    }
}
