using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>An issuer in memory: counts, can be held shut, and takes claims or refuses them.</summary>
internal sealed class LakeIssuer(TimeProvider time) : TokenExchanger<BearerToken>
{
    private readonly ConcurrentQueue<ExchangeRequest> _requests = new();
    private volatile TaskCompletionSource _open = Opened();
    private TaskCompletionSource _reached = New();

    public override Uri Issuer { get; } = new("https://issuer.example/");

    public override Audience SubjectAudience { get; } = new("https://issuer.example/");

    public TimeSpan Life { get; set; } = TimeSpan.FromHours(1);

    public bool TakesClaims { get; set; } = true;

    public TokenExchangeException? Failure { get; set; }

    public IReadOnlyList<ExchangeRequest> Requests => [.. _requests];

    /// <summary>Completes when a call stands before the shut gate.</summary>
    public Task Reached => _reached.Task;

    public void Shut()
    {
        _reached = New();
        _open = New();
    }

    public void Open() => _open.TrySetResult();

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        _requests.Enqueue(request);
        _reached.TrySetResult();
        await _open.Task;
        if (Failure is { } failure)
            throw failure;
        if (request.Claims is not null && !TakesClaims)
            throw new TokenExchangeException("NHI4017", ExchangeStage.Exchange, "This issuer takes no claims.");
        string token = string.Create(CultureInfo.InvariantCulture, $"canary-{_requests.Count}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}");
        return new Issued<BearerToken>(new BearerToken(token, time.GetUtcNow() + Life));
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource Opened()
    {
        TaskCompletionSource source = New();
        source.SetResult();
        return source;
    }
}
