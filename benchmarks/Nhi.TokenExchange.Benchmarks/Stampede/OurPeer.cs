using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Ours, through the public interface of a real job, with its own way to a token endpoint; its time is moved, not waited for.</summary>
public sealed class OurPeer : StampedePeer
{
    /// <summary>The row's name.</summary>
    public const string Title = "**ours**";

    /// <summary>The row of the token credential.</summary>
    public const string TokenCredentialTitle = "**ours**, `AsTokenCredential`";

    /// <summary>The row of the pipeline policy.</summary>
    public const string PolicyTitle = "**ours**, `AddCredential` in a pipeline";

    /// <summary>How often an exchange is tried at a transient failure.</summary>
    public const int TriesOfAnExchange = 5;

    /// <summary>Until when nobody tries again, at most: after the first failed exchange in a row, and after the second.</summary>
    public static IReadOnlyList<TimeSpan> LongestBackoffs { get; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)];

    private readonly StoppedTime _time = new();
    private readonly Func<CredentialProvider<BearerToken>, Func<Task>> _create;
    private JobSession? _session;
    private Func<Task>? _call;

    private OurPeer(string name, Func<CredentialProvider<BearerToken>, Func<Task>> create)
        : base(name) => _create = create;

    public override TimeSpan LongestPause => StoppedTime.Deadline / StoppedTime.Hurry;

    public override IReadOnlyList<TimeSpan> Backoffs => LongestBackoffs;

    public static OurPeer Provider() => new(Title, provider => () => provider.GetAsync().AsTask());

    /// <summary>Through what an Azure SDK client holds.</summary>
    public static OurPeer TokenCredential() => new(TokenCredentialTitle, provider =>
    {
        TokenCredential credential = provider.AsTokenCredential();
        var context = new TokenRequestContext(["read"]);
        return () => credential.GetTokenAsync(context, default).AsTask();
    });

    /// <summary>Through the policy that an Azure SDK client's options take.</summary>
    public static OurPeer Policy() => new(PolicyTitle, provider =>
    {
        var pipeline = new AzurePipeline(AzurePipeline.NewOptions().AddCredential(provider, new Uri("https://resource.example/")));
        return () => pipeline.SendAsync().AsTask();
    });

    public override Task CallAsync() => _call!();

    public override async Task<bool> PrepareAsync(StampedeMoment moment)
    {
        if (moment.IsDown() && Name != Title)
            return false;   // behind the adapters is the same slot
        _session = await BenchmarkJob.StartOverTheWireAsync(new InMemoryIssuer(Gate), _time);
        _call = _create(_session.Provider<BearerToken>("warehouse"));
        return true;
    }

    // Of an hour's life the last 20 minutes are for the refresh.
    public override Task ComeAsync(StampedeMoment moment)
    {
        _time.Advance(TimeSpan.FromMinutes(moment == StampedeMoment.Expired ? 60 : 45));
        return Task.CompletedTask;
    }

    public override void Pass(TimeSpan backoff) => _time.Advance(backoff);

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_session is not null)
            await _session.DisposeAsync();
    }
}
