namespace Nhi.TokenExchange;

/// <summary>Azure.Core's policy: one cache per policy, so per client.</summary>
public sealed class AzureCoreStampede() : StampedePeer("Azure.Core `BearerTokenAuthenticationPolicy`")
{
    private AzureCorePolicy? _policy;

    public override Task CallAsync() => _policy!.AuthorizeNewAsync().AsTask();

    public override bool Prepare(StampedeMoment moment)
    {
        var credential = new CountedTokenCredential(Gate);
        if (moment == StampedeMoment.Expired)
            credential.ExpiresIn = TimeSpan.FromSeconds(-1);
        if (moment.IsRefreshDue())
            credential.RefreshIn = TimeSpan.FromSeconds(-1);
        _policy = new AzureCorePolicy(credential);
        return true;
    }
}
