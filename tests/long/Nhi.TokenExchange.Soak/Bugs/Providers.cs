using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Soak;

internal sealed class KeepingProvider(CredentialProvider<BearerToken> inner) : CredentialProvider<BearerToken>(inner.Target)
{
    private volatile BearerToken? _kept;

    public override async ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default) => _kept ??= await inner.GetAsync(cancellationToken);
}

internal sealed class OutlivingProvider(CredentialProvider<BearerToken> inner) : CredentialProvider<BearerToken>(inner.Target)
{
    private volatile BearerToken? _last;

    public override async ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return _last = await inner.GetAsync(cancellationToken);
        }
        catch (TokenExchangeException ended) when (ended.Stage == ExchangeStage.JobEnded && _last is { } last)
        {
            return last;
        }
    }
}

internal sealed class HeldProvider : CredentialProvider<BearerToken>
{
    private static readonly ConcurrentQueue<HeldProvider> Held = new();

    private readonly CredentialProvider<BearerToken> _inner;

    public HeldProvider(CredentialProvider<BearerToken> inner)
        : base(inner.Target)
    {
        _inner = inner;
        if (inner.Target == SoakTarget.All[0].Name)
            Held.Enqueue(this);
    }

    public override ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default) => _inner.GetAsync(cancellationToken);
}

internal sealed class MoodyProvider(CredentialProvider<BearerToken> inner) : CredentialProvider<BearerToken>(inner.Target)
{
    private int _calls;

    public override ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default) => Interlocked.Increment(ref _calls) % 5 == 0
        ? throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "The refresh failed.") { IsTransient = true }
        : inner.GetAsync(cancellationToken);
}

internal sealed class ForgetfulProvider(CredentialProvider<BearerToken> inner) : CredentialProvider<BearerToken>(inner.Target)
{
    private int _waits;

    public override ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<BearerToken> asking = inner.GetAsync(cancellationToken);
        return asking.IsCompleted || Interlocked.Increment(ref _waits) != 2 ? asking : new ValueTask<BearerToken>(new TaskCompletionSource<BearerToken>().Task);
    }
}

/// <summary>Keeps the newest credential of a target in one place for all jobs, and now and then hands out what it finds there.</summary>
internal sealed class CrossingProvider(CredentialProvider<BearerToken> inner) : CredentialProvider<BearerToken>(inner.Target)
{
    private static readonly ConcurrentDictionary<string, BearerToken> Newest = new(StringComparer.Ordinal);

    private int _calls;

    public override async ValueTask<BearerToken> GetAsync(CancellationToken cancellationToken = default)
    {
        BearerToken own = await inner.GetAsync(cancellationToken);
        BearerToken newest = Newest.GetOrAdd(Target, own);
        Newest[Target] = own;
        return Interlocked.Increment(ref _calls) % 5 == 0 ? newest : own;
    }
}
