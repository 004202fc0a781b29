namespace Nhi.TokenExchange.Soak;

/// <summary>Throws every other answer of the authorization server away, and later says that none came.</summary>
internal sealed class DroppingExchanger(TokenExchanger<BearerToken> inner) : WrappedExchanger(inner)
{
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(3);

    private int _exchanges;

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        Issued<BearerToken> issued = await base.ExchangeAsync(request, cancellationToken);
        if (SoakTarget.Named(request.Target).TokenEndpoint != ChaosPlace.Authorization || Interlocked.Increment(ref _exchanges) % 2 != 0)
            return issued;
        await Task.Delay(Late, TimeProvider.System, cancellationToken);
        throw new TokenExchangeException("NHI4002", ExchangeStage.Exchange, "No answer came.") { IsTransient = true };
    }
}
