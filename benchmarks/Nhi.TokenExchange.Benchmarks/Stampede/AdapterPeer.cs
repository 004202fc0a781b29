using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Ours, through what an Azure SDK client holds.</summary>
public sealed class AdapterPeer : StampedePeer
{
    /// <summary>The row of the token credential.</summary>
    public const string TokenCredentialTitle = "**ours**, `AsTokenCredential`";

    /// <summary>The row of the pipeline policy.</summary>
    public const string PolicyTitle = "**ours**, `AddCredential` in a pipeline";

    private readonly ShiftedTime _time = new();
    private readonly Func<CredentialProvider<BearerToken>, Func<Task>> _create;
    private Func<Task>? _call;

    private AdapterPeer(string name, Func<CredentialProvider<BearerToken>, Func<Task>> create)
        : base(name) => _create = create;

    public static AdapterPeer TokenCredential() => new(TokenCredentialTitle, provider =>
    {
        TokenCredential credential = provider.AsTokenCredential();
        var context = new TokenRequestContext(["read"]);
        return () => credential.GetTokenAsync(context, default).AsTask();
    });

    public static AdapterPeer Policy() => new(PolicyTitle, provider =>
    {
        var pipeline = new AzurePipeline(AzurePipeline.NewOptions().AddCredential(provider, new Uri("https://resource.example/")));
        return () => pipeline.SendAsync().AsTask();
    });

    public override Task CallAsync() => _call!();

    public override bool Prepare(StampedeMoment moment)
    {
        Task<JobSession> starting = BenchmarkJob.StartOverTheWireAsync(new InMemoryIssuer(Gate), _time);
        _call = _create(starting.Result.Provider<BearerToken>("warehouse"));
        return true;
    }

    // Of an hour's life the last 20 minutes are for the refresh.
    public override Task ComeAsync(StampedeMoment moment)
    {
        _time.Advance(TimeSpan.FromMinutes(moment == StampedeMoment.Expired ? 60 : 45));
        return Task.CompletedTask;
    }
}
