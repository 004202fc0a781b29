using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;

namespace Nhi.TokenExchange;

/// <summary>A program that the broker got credentials for: what it holds, how much it may ask, and whether it is there still.</summary>
internal sealed class Caller : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Credential> _held = [];
    private readonly ConcurrencyLimiter _atOnce;
    private readonly TokenBucketRateLimiter _perSecond;
    private readonly TimeProvider _time;
    private readonly long _admitted;
    private readonly CancellationTokenSource _gone = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RunningProcess? _process;
    private int _getting;
    private bool _isGone;

    public Caller(CredentialCaller identity, BrokerPlan plan)
    {
        Identity = identity;
        _time = plan.Time;
        _admitted = _time.GetTimestamp();
        Gone = _gone.Token;
        _atOnce = new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = plan.ConcurrentRequests });
        _perSecond = new TokenBucketRateLimiter(new TokenBucketRateLimiterOptions
        {
            TokenLimit = 2 * plan.RequestsPerSecond, TokensPerPeriod = plan.RequestsPerSecond, ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        });
    }

    public CredentialCaller Identity { get; }

    /// <summary>Cancelled when it is gone: nobody waits for a credential for it any more.</summary>
    public CancellationToken Gone { get; }

    /// <summary>Completes when what it held is ended, as far as that can be done.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Why it ended, once it has.</summary>
    public string Why { get; private set; } = "";

    /// <summary>By what its token is found; null: it was given none.</summary>
    public UInt128? Selector { get; init; }

    /// <summary>The process that it ends with; null: none.</summary>
    public RunningProcess? Process
    {
        get
        {
            lock (_gate)
                return _process;
        }
        set
        {
            lock (_gate)
                _process = value;
        }
    }

    /// <summary>How long the broker has known it.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_admitted);

    /// <summary>Counts a request.</summary>
    /// <returns>To be disposed when the request is done.</returns>
    /// <exception cref="BrokerRefusal">It asks too much.</exception>
    public IDisposable Enter()
    {
        try
        {
            using RateLimitLease inTime = _perSecond.AttemptAcquire();
            if (!inTime.IsAcquired)
                throw TooMany("this client asks too often");
            RateLimitLease atOnce = _atOnce.AttemptAcquire();
            return atOnce.IsAcquired ? atOnce : throw TooMany("too many requests of this client are in the air");
        }
        catch (ObjectDisposedException)
        {
            throw new BrokerRefusal(RefusalKind.Unproven, "this client has ended");
        }
    }

    /// <summary>A credential is asked for, to be followed by <see cref="IsLastOfLate"/> in any case.</summary>
    public void BeginGetting()
    {
        lock (_gate)
            _getting++;
    }

    /// <summary>A credential that was asked for has come, or does not come.</summary>
    /// <returns>Whether the caller is gone, and no other request of it is left that may bring one: it is time to end what came late.</returns>
    public bool IsLastOfLate()
    {
        lock (_gate)
            return --_getting == 0 && _isGone;
    }

    /// <summary>Notes a credential that the caller is about to get.</summary>
    /// <returns>False: it is gone, and the credential is one that came late.</returns>
    public bool TryHold(Credential credential, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_held.Contains(credential))   // its own equality: the same object
                return !_isGone;
            _held.RemoveAll(old => old.ExpiresAt <= now);
            _held.Add(credential);
            return !_isGone;
        }
    }

    /// <summary>The bearer token that the caller holds and that has this text; null: it holds none.</summary>
    public BearerToken? Find(string text) => Find(token => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(text)));

    /// <summary>The bearer token that the caller holds and that has this SHA-256, in hexadecimal; null: it holds none.</summary>
    public BearerToken? FindByHash(string hash) => Find(token => string.Equals(Convert.ToHexString(CallerToken.Hash(token)), hash, StringComparison.OrdinalIgnoreCase));

    /// <summary>It gave the credential back.</summary>
    public void Release(Credential credential)
    {
        lock (_gate)
            _held.Remove(credential);
    }

    /// <summary>The caller is gone.</summary>
    /// <returns>What it held; null if that was known before.</returns>
    public IReadOnlyList<Credential>? Leave(string why)
    {
        lock (_gate)
        {
            if (_isGone)
                return null;
            _isGone = true;
            Why = why;
            return TakeHeld();
        }
    }

    /// <summary>What came for it after it was gone.</summary>
    public IReadOnlyList<Credential> TakeLate()
    {
        lock (_gate)
            return TakeHeld();
    }

    /// <summary>Cancels <see cref="Gone"/>; who waits for that is told on another thread.</summary>
    public Task TellAsync() => _gone.CancelAsync();

    /// <summary>It has ended.</summary>
    public void Dispose()
    {
        _gone.Dispose();
        _atOnce.Dispose();
        _perSecond.Dispose();
        _ended.TrySetResult();
    }

    private Credential[] TakeHeld()
    {
        Credential[] held = [.. _held];
        _held.Clear();
        return held;
    }

    private static BrokerRefusal TooMany(string what) => new(RefusalKind.TooMany, what) { RetryAfter = TimeSpan.FromSeconds(1) };

    private BearerToken? Find(Func<string, bool> isIt)
    {
        lock (_gate)
            return _held.OfType<BearerToken>().FirstOrDefault(token => isIt(token.Reveal()));
    }
}
