using Azure.Core;
using BenchmarkDotNet.Attributes;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>One whole exchange over a wire in memory, with a token of 1.2 kB: all stages of ours beside a bare form post and Microsoft's clients.</summary>
public class WholeExchange
{
    private static readonly TimeSpan MoreThanItsLife = TimeSpan.FromSeconds(61);

    private readonly ShiftedTime _time = new();
    private readonly IssuerGate _gate = new();
    private readonly MemorySink _audit = new();
    private readonly InMemoryIssuer _issuer;
    private int _asked;
    private JobSession? _session;
    private CredentialProvider<BearerToken>? _provider;
    private TokenExchanger<BearerToken> _exchanger = null!;
    private ExchangeRequest _request = null!;
    private IConfidentialClientApplication _msal = null!;
    private PlainExchange? _plain;

    public WholeExchange() => _issuer = new InMemoryIssuer(_gate) { Token = Proofs.OfLength(1200), ExpiresIn = 60 };

    [GlobalSetup(Targets = [nameof(Plain), nameof(PlainOnThePool)])]
    public async Task SetUpPlain()
    {
        _plain = new PlainExchange(_issuer, Proofs.For("https://issuer.example/", TimeProvider.System.GetUtcNow()));
        await Settling.OfAsync(Plain);
    }

    [GlobalSetup(Target = nameof(Ours))]
    public async Task SetUpOurs()
    {
        await StartJobAsync();
        _provider = _session!.Provider<BearerToken>("warehouse");
        await Settling.OfAsync(() => Ours().AsTask());
    }

    [GlobalSetup(Target = nameof(ExchangeAlone))]
    public async Task SetUpExchangeAlone()
    {
        await StartJobAsync();
        _request = new ExchangeRequest
        {
            Target = "warehouse", Subject = new SubjectToken(Proofs.For("https://issuer.example/", TimeProvider.System.GetUtcNow()), SubjectTokenType.Jwt), Scopes = ScopeSet.Of("read"),
            MaxLifetime = TimeSpan.FromHours(1), Job = _session!.Context, Backchannel = _session.Backchannel, Time = _time,
        };
        await Settling.OfAsync(() => ExchangeAlone().AsTask());
    }

    [GlobalSetup(Target = nameof(MsalForced))]
    public async Task SetUpMsal()
    {
        _msal = MicrosoftPeers.Msal(_issuer);
        await Settling.OfAsync(MsalForced);
    }

    [GlobalCleanup]
    public async Task CleanUp()
    {
        if (_gate.Calls != _asked)
            throw new InvalidOperationException($"Not a whole exchange each: {_asked} were asked for, the issuer counted {_gate.Calls}.");
        if (_provider is not null && _audit.Events < 2 * _asked)
            throw new InvalidOperationException($"Not recorded, before and after: {_asked} exchanges, {_audit.Events} events.");
        if (_session is not null)
            await _session.DisposeAsync();
        _plain?.Dispose();
    }

    [Benchmark(Baseline = true, Description = "plain: form, post, generated JSON")]
    public Task<string> Plain()
    {
        _asked++;
        return _plain!.AskAsync();
    }

    // Its clock moves on by more than the life of the last credential: each call attests, decides, records, exchanges, checks and records.
    [Benchmark(Description = "ours: whole pipeline")]
    public ValueTask<BearerToken> Ours()
    {
        _asked++;
        _time.Advance(MoreThanItsLife);
        return _provider!.GetAsync();
    }

    // Of the pipeline the one stage that the plain post is, too: the form, the post with its bounds and tries, the strict reading, the check against the question.
    [Benchmark(Description = "ours: the exchange alone")]
    public ValueTask<Issued<BearerToken>> ExchangeAlone()
    {
        _asked++;
        return _exchanger.ExchangeAsync(_request, default);
    }

    // As ours has to: a source that blocks may hold no caller.
    [Benchmark(Description = "plain, on a thread of the pool, its caller woken")]
    public Task<string> PlainOnThePool()
    {
        _asked++;
        return Task.Run(_plain!.AskAsync);
    }

    [Benchmark(Description = "MSAL, forced refresh")]
    public Task<AuthenticationResult> MsalForced()
    {
        _asked++;
        return _msal.AcquireTokenForClient(MicrosoftPeers.Scopes).WithForceRefresh(true).ExecuteAsync();
    }

    [Benchmark(Description = "Azure.Identity, new credential")]
    public async Task<AccessToken> AzureIdentityNew()
    {
        _asked++;
        return await MicrosoftPeers.ClientAssertion(_issuer).GetTokenAsync(MicrosoftPeers.Context, default);
    }

    private async Task StartJobAsync()
    {
        _exchanger = Targets.Rfc8693(new Uri("https://issuer.example/"), options => options.TokenEndpoint = new Uri("https://issuer.example/token"));
        _session = await JobSession.StartAsync(builder => builder
            .EndOnSignals(false).Time(_time).Audit(_audit).Transport(() => _issuer)
            .Identity("job", Proofs.KeptHalfItsLife(), ActsFor.Workload)
            .Target("warehouse", _exchanger, identity: "job", "read"));
    }
}
