using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Soak;

/// <summary>Calls what comes of Databricks and of Entra dead on arrival, after it was held for a while.</summary>
internal sealed class MorticianExchanger(TokenExchanger<BearerToken> inner, TimeSpan held) : WrappedExchanger(inner)
{
    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        if (SoakTarget.Named(request.Target).TokenEndpoint == ChaosPlace.Authorization)
            return issued;
        await Task.Delay(held, TimeProvider.System, cancellationToken);
        return new Issued<BearerToken>(issued.Credential) { Flaw = new TokenExchangeException("NHI5003", ExchangeStage.Verify, "The credential is dead.") { IsTransient = true } };
    }
}

/// <summary>Says of each credential that it lives ten minutes longer than it does.</summary>
internal sealed class OverstatingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        return new Issued<BearerToken>(new BearerToken(issued.Credential.Reveal(), issued.Credential.ExpiresAt + TimeSpan.FromMinutes(10))) { CorrelationId = issued.CorrelationId, GrantedScopes = issued.GrantedScopes, Flaw = issued.Flaw };
    }
}

/// <summary>A breaker that all jobs share, and that lets all of them through in the same instant, and more than once.</summary>
internal sealed class HerdingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    private static readonly TimeSpan Closed = TimeSpan.FromSeconds(8);
    private static readonly ConcurrentDictionary<Uri, Task> Breakers = new();

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Task breaker = Breakers.GetValueOrDefault(Issuer, Task.CompletedTask);
        bool isOfTheHerd = !breaker.IsCompleted;
        await breaker.WaitAsync(cancellationToken);
        try
        {
            for (int more = 0; isOfTheHerd && more < 3; more++)
                await base.ExchangeAsync(request, cancellationToken);
            return await base.ExchangeAsync(request, cancellationToken);
        }
        catch (TokenExchangeException)
        {
            _ = Breakers.AddOrUpdate(Issuer, _ => Closing(), (_, breaker) => breaker.IsCompleted ? Closing() : breaker);
            throw;
        }

        static Task Closing() => Task.Delay(Closed, TimeProvider.System, CancellationToken.None);
    }
}

internal sealed class HoardingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    private static readonly ConcurrentBag<byte[]> Hoard = [];

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        byte[] kept = new byte[512 * 1024];
        Array.Fill(kept, (byte)1);   // memory that is never written is not held
        Hoard.Add(kept);
        return base.ExchangeAsync(request, cancellationToken);
    }
}

/// <summary>Leaves work in the pool that blocks its threads, as what is written synchronously to a slow place does.</summary>
internal sealed class BlockingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    // So much at once that the pool, which grows by one or two threads a second, is busy with it for longer than any machine stands still.
    private const int Pieces = 300;

    private static readonly TimeSpan Blocked = TimeSpan.FromSeconds(2);

    private static int _exchanges;

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        if (Interlocked.Increment(ref _exchanges) == 20)
        {
            for (int piece = 0; piece < Pieces; piece++)
                ThreadPool.QueueUserWorkItem(_ => Block());
        }

        return issued;
    }

    private static void Block()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(Blocked, CancellationToken.None);
    }
}

/// <summary>Cuts an exchange off a few milliseconds after it began, again and again, and then makes it as it should be made.</summary>
internal sealed class HangingUpExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    private const int LongestMilliseconds = 12;

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        for (int milliseconds = 1; milliseconds <= LongestMilliseconds; milliseconds++)
        {
            using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            cut.CancelAfter(milliseconds);
            try
            {
                return await base.ExchangeAsync(request, cut.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Cut off.
            }
        }

        return await base.ExchangeAsync(request, cancellationToken);
    }
}
