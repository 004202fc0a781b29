using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

namespace Nhi.TokenExchange.Tests;

/// <summary>An issuer in memory: counts, can be held at a gate, and does what the test says.</summary>
internal sealed class TestExchanger(TimeProvider time) : TokenExchanger<BearerToken>
{
    private readonly ConcurrentQueue<ExchangeRequest> _requests = new();
    private readonly ConcurrentQueue<BearerToken> _issued = new();
    private readonly ConcurrentQueue<BearerToken> _revoked = new();
    private int _inTheAir;
    private int _mostInTheAir;

    public override Uri Issuer { get; } = new("https://issuer.test/");

    public override Audience SubjectAudience { get; } = new("https://issuer.test/");

    public override TimeSpan UsableMargin => Margin;

    public override bool EndsWithSubjectToken => Tied;

    public override ExposureAnswer ReusableAfterJob => Reusable?.Invoke() ?? base.ReusableAfterJob;

    public Func<ExposureAnswer>? Reusable { get; set; }

    public Func<ScopeSet, string?>? Flaw { get; set; }

    public override string? FlawOf(ScopeSet scopes) => Flaw?.Invoke(scopes);

    internal override IReadOnlyList<string> Resources => Names;

    /// <summary>The resources that are asked for.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    internal override string? AuthorizationDetails => Details;

    /// <summary>The authorization details that are asked for.</summary>
    public string? Details { get; set; }

    public TimeSpan Margin { get; set; } = TimeSpan.FromSeconds(10);

    public bool Tied { get; set; }

    internal override string? EndsWith(Credential credential) => DiesWith?.Invoke(credential);

    internal override bool MayEndWithHop => Tied || DiesWith is not null;

    /// <summary>The fingerprint of the hop's credential with which one ends, where the exchanger knows that.</summary>
    public Func<Credential, string?>? DiesWith { get; set; }

    internal override bool RenewsHeld => Renews;

    public bool Renews { get; set; }

    public TimeSpan Life { get; set; } = TimeSpan.FromHours(1);

    public Gate? Gate { get; set; }

    public Func<ExchangeRequest, Issued<BearerToken>>? Answer { get; set; }

    public Func<RevocationRequest<BearerToken>, Task<Revocation>>? OnRevoke { get; set; }

    /// <summary>What is read before a policy that looks at the answers about a credential decides.</summary>
    public Func<CancellationToken, Task>? OnLearn { get; set; }

    public IReadOnlyCollection<ExchangeRequest> Requests => _requests;

    public IReadOnlyCollection<BearerToken> Issued => _issued;

    public IReadOnlyCollection<BearerToken> Revoked => _revoked;

    public int MostInTheAir => _mostInTheAir;

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        _requests.Enqueue(request);
        int now = Interlocked.Increment(ref _inTheAir);
        InterlockedMax(ref _mostInTheAir, now);
        try
        {
            if (Gate is { } gate)
                await gate.PassAsync();
            Issued<BearerToken> issued = Answer?.Invoke(request) ?? new Issued<BearerToken>(NewToken());
            _issued.Enqueue(issued.Credential);
            return issued;
        }
        finally
        {
            Interlocked.Decrement(ref _inTheAir);
        }
    }

    internal override ValueTask LearnAsync(HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken) => OnLearn is null ? default : new(OnLearn(cancellationToken));

    public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        Revocation revocation = OnRevoke is null ? Revocation.Revoked : await OnRevoke(request).WaitAsync(cancellationToken);
        if (revocation == Revocation.Revoked)
            _revoked.Enqueue(request.Credential!);
        return revocation;
    }

    public BearerToken NewToken(TimeSpan? life = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"canary-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}"), time.GetUtcNow() + (life ?? Life));

    private static void InterlockedMax(ref int place, int value)
    {
        int seen = place;
        while (value > seen)
        {
            int before = Interlocked.CompareExchange(ref place, value, seen);
            if (before == seen)
                return;
            seen = before;
        }
    }
}

/// <summary>Holds whoever comes until it is opened; tells when somebody has come.</summary>
internal sealed class Gate : IDisposable
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Reached => _reached.Task;

    public void Open() => _open.TrySetResult();

    /// <summary>Opens it, so that a test that failed before it did comes to its end, too.</summary>
    public void Dispose() => Open();

    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _open.Task;
    }
}
