namespace Nhi.TokenExchange;

/// <summary>A vault that keeps static keys, and gives one to who shows the credential of the hop.</summary>
internal interface IKeyStore
{
    /// <summary>The vault, as shown in errors and audit.</summary>
    Uri Issuer { get; }

    /// <summary>Where in it the key is: for audit and errors.</summary>
    string Secret { get; }

    /// <summary>As <see cref="TokenExchanger.FlawOfHop"/>.</summary>
    string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes);

    /// <summary>What to name as the hop: a sentence without its full stop.</summary>
    string HopRemedy { get; }

    /// <summary>Reads the key as it is now.</summary>
    /// <exception cref="TokenExchangeException">The vault refused, was not reached, or answered what can't be read.</exception>
    Task<StoredKey> ReadAsync(ExchangeRequest request, CancellationToken cancellationToken);
}
