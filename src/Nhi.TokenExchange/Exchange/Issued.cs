namespace Nhi.TokenExchange;

/// <summary>A credential and what the issuer said about it.</summary>
/// <typeparam name="TCredential">The kind of credential.</typeparam>
public sealed class Issued<TCredential>
    where TCredential : Credential
{
    /// <summary>Wraps a credential that was just issued.</summary>
    /// <param name="credential">A new object; one that was seen before is refused.</param>
    public Issued(TCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        Credential = credential;
    }

    /// <summary>The credential.</summary>
    public TCredential Credential { get; }

    /// <summary>The scopes that the issuer says it granted; null if it said nothing, which means "as asked" (RFC 6749 §5.1).</summary>
    public ScopeSet? GrantedScopes { get; init; }

    /// <summary>For whom the credential says that it is (<c>aud</c> of a JWT); empty if it does not say.</summary>
    internal IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>When the issuer wants it refreshed; null leaves it to the rule.</summary>
    public DateTimeOffset? RefreshAt { get; init; }

    /// <summary>
    /// Whether the credential's <see cref="Credential.ExpiresAt"/> is only assumed, because the issuer did not say when it ends. It is handed out no longer than that,
    /// but may live on at its issuer, which is therefore asked to end it, also after that instant. Default false.
    /// </summary>
    public bool EndIsAssumed { get; init; }

    /// <summary>
    /// Whether this is <see cref="ExchangeRequest.Held"/> once more, with a later end: a new object for the same thing at the issuer, under the same <see cref="RevocationHandle"/>. It takes the place of the held one, which is
    /// not ended. Default false.
    /// </summary>
    public bool IsRenewal { get; init; }

    /// <summary>What ends the credential at the issuer without holding it: an accessor or a lease id. Not secret. Null if there is none.</summary>
    public string? RevocationHandle { get; init; }

    /// <summary>Why this credential must not be used although it exists: the pipeline ends it and throws this. Null if nothing is wrong.</summary>
    public TokenExchangeException? Flaw { get; init; }

    /// <summary>The issuer's name for this exchange, to find it in its logs.</summary>
    public string? CorrelationId { get; init; }
}
