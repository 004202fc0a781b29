using Azure.Core;
using Azure.Core.Pipeline;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>A hit through what Azure SDK clients take: our token credential, and our policy beside Azure.Core's in the same pipeline.</summary>
public class AzureAdapters
{
    private readonly IssuerGate _gate = new();
    private readonly TokenRequestContext _context = new(["read"]);
    private JobSession? _session;
    private TokenCredential _credential = null!;
    private AzurePipeline _policy = null!;
    private AzurePipeline _bearerPolicy = null!;

    [GlobalSetup]
    public async Task SetUp()
    {
        _session = await BenchmarkJob.StartAsync(_gate, ["warehouse"]);
        CredentialProvider<BearerToken> provider = _session.Provider<BearerToken>("warehouse");
        _credential = provider.AsTokenCredential();
        _policy = new AzurePipeline(AzurePipeline.NewOptions().AddCredential(provider, new Uri("https://resource.example/")));
        var theirs = new IssuerGate();
        _bearerPolicy = new AzurePipeline(AzurePipeline.NewOptions(), new BearerTokenAuthenticationPolicy(new CountedTokenCredential(theirs), MicrosoftPeers.Scopes[0]));
        await _gate.DemandTrueHitAsync(async () => await _credential.GetTokenAsync(_context, default));
        await _gate.DemandTrueHitAsync(async () => await PolicyInPipeline());
        await theirs.DemandTrueHitAsync(async () => await BearerPolicyInPipeline());
    }

    [GlobalCleanup]
    public async Task CleanUp() => await _session!.DisposeAsync();

    [Benchmark(Description = "ours: AsTokenCredential, GetTokenAsync")]
    public AccessToken TokenCredentialAsync() => _credential.GetTokenAsync(_context, default).Result;

    [Benchmark(Description = "ours: AsTokenCredential, GetToken")]
    public AccessToken TokenCredentialSync() => _credential.GetToken(_context, default);

    [Benchmark(Description = "a request through a pipeline, ours: AddCredential")]
    public ValueTask<int> PolicyInPipeline() => _policy.SendAsync();

    [Benchmark(Description = "a request through a pipeline, Azure.Core BearerTokenAuthenticationPolicy")]
    public ValueTask<int> BearerPolicyInPipeline() => _bearerPolicy.SendAsync();
}
