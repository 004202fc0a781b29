using System.Net;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>A hit as most callers meet it: a request through <see cref="HttpClient"/> with our handler, beside the same without.</summary>
public class HttpClients
{
    private static readonly Uri Resource = new("https://warehouse.example/");

    private JobSession? _session;
    private HttpClient _ours = null!;
    private HttpClient _bare = null!;

    [GlobalSetup]
    public async Task SetUp()
    {
        var gate = new IssuerGate();
        _session = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false).Identity("job", Proofs.Source, ActsFor.Workload)
            .Target("warehouse", new InMemoryExchanger(gate), options =>
            {
                options.Identity = "job";
                options.AllowedOrigins.Add(Resource);
            }));
        _ours = new HttpClient(_session.CreateHandler("warehouse", new Accepting()));
        _bare = new HttpClient(new Accepting());
        await gate.DemandTrueHitAsync(OursInHttpClient);
    }

    [GlobalCleanup]
    public async Task CleanUp()
    {
        _ours.Dispose();
        _bare.Dispose();
        await _session!.DisposeAsync();
    }

    [Benchmark(Description = "a request through HttpClient, ours: CreateHandler")]
    public Task<HttpStatusCode> OursInHttpClient() => SendAsync(_ours);

    [Benchmark(Description = "a request through HttpClient, without a credential")]
    public Task<HttpStatusCode> BareHttpClient() => SendAsync(_bare);

    private static async Task<HttpStatusCode> SendAsync(HttpClient client)
    {
        using HttpResponseMessage answer = await client.GetAsync(Resource);
        return answer.StatusCode;
    }

    private sealed class Accepting : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request });
    }
}
