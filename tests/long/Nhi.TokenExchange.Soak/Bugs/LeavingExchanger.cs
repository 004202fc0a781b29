namespace Nhi.TokenExchange.Soak;

/// <summary>Leaves something behind with every fifth exchange of all jobs.</summary>
internal sealed class LeavingExchanger(TokenExchanger<BearerToken> inner, Action leave) : WrappedExchanger(inner)
{
    private static int _exchanges;

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _exchanges) % 5 == 0)
            leave();
        return base.ExchangeAsync(request, cancellationToken);
    }
}

/// <summary>What is left behind, and nobody looks after.</summary>
internal static class LeftBehind
{
    public static void AFault() => _ = Task.FromException(new InvalidOperationException("Nobody looks at this."));

    public static void AThread() => new Thread(() => Thread.Sleep(Timeout.Infinite)) { IsBackground = true, Name = "left behind" }.UnsafeStart();
}
