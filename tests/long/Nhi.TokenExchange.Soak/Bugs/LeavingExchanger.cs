namespace Nhi.TokenExchange.Soak;

/// <summary>Leaves something behind with every other exchange of all jobs.</summary>
internal sealed class LeavingExchanger(TokenExchanger<BearerToken> inner, Action leave) : WrappedExchanger(inner)
{
    private static int _exchanges;

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _exchanges) % 2 == 0)
            leave();
        return base.ExchangeAsync(request, cancellationToken);
    }
}

/// <summary>What is left behind, and nobody looks after.</summary>
internal static class LeftBehind
{
    private static readonly ManualResetEventSlim Never = new();

    public static void AFault() => _ = Task.FromException(new InvalidOperationException("Nobody looks at this."));

    public static void AThread() => new Thread(() => Never.Wait(CancellationToken.None)) { IsBackground = true, Name = "left behind" }.UnsafeStart();
}
