namespace Nhi.TokenExchange;

/// <summary>Ours, through the public interface of a real job, with its own way to a token endpoint; its time is moved, not waited for.</summary>
public sealed class OurPeer() : StampedePeer(Title)
{
    /// <summary>The row's name.</summary>
    public const string Title = "**ours**";

    private readonly ShiftedTime _time = new();
    private CredentialProvider<BearerToken>? _provider;

    public override async Task CallAsync() => await _provider!.GetAsync();

    public override bool Prepare(StampedeMoment moment)
    {
        Task<JobSession> starting = BenchmarkJob.StartOverTheWireAsync(new InMemoryIssuer(Gate), _time);
        _provider = starting.Result.Provider<BearerToken>("warehouse");
        return true;
    }

    // Of an hour's life the last 20 minutes are for the refresh.
    public override Task ComeAsync(StampedeMoment moment)
    {
        _time.Advance(TimeSpan.FromMinutes(moment == StampedeMoment.Expired ? 60 : 45));
        return Task.CompletedTask;
    }
}
