namespace Nhi.TokenExchange;

/// <summary>What opens connections with a static key, as it was registered.</summary>
internal abstract class StaticKeyOpener
{
    /// <summary>What it gives.</summary>
    public abstract Type ConnectionType { get; }
}

/// <summary>What opens connections with a static key.</summary>
/// <param name="open">Opens one.</param>
/// <param name="isRefusal">Whether a failure means that the service refused the key.</param>
internal sealed class StaticKeyOpener<TConnection>(Func<string, CancellationToken, ValueTask<TConnection>> open, Func<Exception, bool>? isRefusal) : StaticKeyOpener
    where TConnection : class, IDisposable
{
    public override Type ConnectionType => typeof(TConnection);

    /// <summary>Opens one; once more with another key, if the service refused the first and the vault has another by now.</summary>
    public async Task<TConnection> OpenAsync(CredentialProvider<StaticKey> provider, TimeProvider time, CancellationToken cancellationToken)
    {
        (StaticKey key, string text) = await provider.ReadAsync(cancellationToken).ConfigureAwait(false);
        Exception failed;
        try
        {
            return await TryAsync(provider.Target, text, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (isRefusal?.Invoke(exception) == true)
        {
            failed = exception;
        }
        catch (Exception exception) when (FlightErrors.IsForeign(exception, cancellationToken))
        {
            throw Failed(provider.Target, exception);
        }
        if (await provider.ReadAnotherAsync(key, text, time, cancellationToken).ConfigureAwait(false) is not { } another)
            throw Failed(provider.Target, failed);
        try
        {
            return await TryAsync(provider.Target, another.Text, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (FlightErrors.IsForeign(exception, cancellationToken))
        {
            throw Failed(provider.Target, exception);
        }
    }

    private async Task<TConnection> TryAsync(string target, string text, CancellationToken cancellationToken) =>
        await open(text, cancellationToken).ConfigureAwait(false) ?? throw new TokenExchangeException(ErrorCodes.OpenerFailed, ExchangeStage.Exchange, "The opener gave null.") { Target = target };

    // What it threw may quote the key: type and place are kept, and what the database standard has of it.
    private static TokenExchangeException Failed(string target, Exception exception)
    {
        var database = exception as System.Data.Common.DbException;
        string state = database?.SqlState is { Length: 5 } code && code.All(char.IsAsciiLetterOrDigit) ? $" (SQLSTATE {code})" : "";
        return new TokenExchangeException(ErrorCodes.OpenerFailed, ExchangeStage.Exchange, $"The opener failed with {exception.GetType().Name}{state}.", ForeignException.Of(exception))
        {
            Target = target, IsTransient = database?.IsTransient ?? exception is TimeoutException or OperationCanceledException or System.Net.Sockets.SocketException or HttpRequestException or IOException,
            Hint = "Look at the service's own log; what it said is not repeated here, for it may quote the key.",
        };
    }
}
