using System.Collections.Frozen;
using BenchmarkDotNet.Attributes;

namespace Nhi.TokenExchange;

/// <summary>A hit of ours through the public interface, beside the least that a cache with an end can do.</summary>
public class OursAndFloor
{
    private static readonly string[] Names = ["lake", "warehouse", "registry", "mail", "ledger", "search", "queue", "vault"];

    private readonly FloorCache _floor = new();
    private JobSession? _session;
    private CredentialProvider<BearerToken> _provider = null!;
    private FrozenDictionary<string, CredentialProvider<BearerToken>> _byName = null!;

    [GlobalSetup]
    public async Task SetUp()
    {
        var gate = new IssuerGate();
        _session = await BenchmarkJob.StartAsync(gate, Names);
        _byName = Names.ToFrozenDictionary(name => name, name => _session.Provider<BearerToken>(name), StringComparer.Ordinal);
        _provider = _byName["warehouse"];
        await gate.DemandTrueHitAsync(async () => await _provider.GetAsync());
    }

    [GlobalCleanup]
    public async Task CleanUp() => await _session!.DisposeAsync();

    [Benchmark(Baseline = true, Description = "floor: volatile reference and tick")]
    public object? Floor() => _floor.Get();

    [Benchmark(Description = "ours: GetAsync")]
    public BearerToken GetAsync() => _provider.GetAsync().Result;

    [Benchmark(Description = "ours: TryGet")]
    public BearerToken? TryGet() => _provider.TryGet(out BearerToken? token) ? token : null;

    [Benchmark(Description = "ours: GetAsync by target name")]
    public BearerToken GetAsyncByName() => _byName["warehouse"].GetAsync().Result;

    [Benchmark(Description = "ours: awaited in an async method")]
    public BearerToken Awaited() => AwaitAsync().Result;

    private async ValueTask<BearerToken> AwaitAsync() => await _provider.GetAsync();
}
