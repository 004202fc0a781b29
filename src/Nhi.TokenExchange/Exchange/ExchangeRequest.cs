namespace Nhi.TokenExchange;

/// <summary>What the pipeline asks of an exchanger, after the policy has permitted it.</summary>
public sealed class ExchangeRequest
{
    /// <summary>The name of the target.</summary>
    public required string Target { get; init; }

    /// <summary>The proof.</summary>
    public required SubjectToken Subject { get; init; }

    /// <summary>Who acts on behalf of the subject (RFC 8693 <c>actor_token</c>), if the target names an actor.</summary>
    public SubjectToken? Actor { get; init; }

    /// <summary>The scopes to ask for; empty leaves them to the issuer.</summary>
    public ScopeSet Scopes { get; init; }

    /// <summary>The longest life that is of use. Ask for it where the issuer takes one.</summary>
    public required TimeSpan MaxLifetime { get; init; }

    /// <summary>The flight's id, by which the audit joins its events. Where the issuer's log keeps an id of its client's, send it as that.</summary>
    public Guid FlightId { get; init; }

    /// <summary>The job that asks.</summary>
    public required JobContext Job { get; init; }

    /// <summary>The tenant, where the issuer has tenants and the caller named one.</summary>
    public string? Tenant { get; init; }

    /// <summary>The claims of a challenge, where the caller answers one.</summary>
    public string? Claims { get; init; }

    /// <summary>
    /// The credential that is to be replaced, while it is good. Where the issuer can lengthen its life, do that instead of an exchange and say <see cref="Issued{TCredential}.IsRenewal"/>. Null: there is none, or lengthening
    /// was tried already.
    /// </summary>
    public Credential? Held { get; init; }

    /// <summary>The <see cref="Issued{TCredential}.RevocationHandle"/> that <see cref="Held"/> came with, if any.</summary>
    public string? HeldHandle { get; init; }

    /// <summary>Sends requests by the rules of this library: HTTPS, bounded, retried where that is harmless, no redirect.</summary>
    public required HttpMessageInvoker Backchannel { get; init; }

    /// <summary>The clock to use: count lives by it. Its wall hand goes on evenly from the instant of the question, whoever sets the machine's meanwhile.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Of the exchanger's own resources and audiences those that may be asked for; null: all of them.</summary>
    internal IReadOnlyList<string>? Resources { get; init; }

    /// <summary>The authorization details to ask for instead of the exchanger's own; null: those.</summary>
    internal string? AuthorizationDetails { get; init; }

    /// <summary>Whether nobody asked for another: where the life of <see cref="Held"/> can't be lengthened, nothing is exchanged.</summary>
    internal bool RenewsOnly { get; init; }

    /// <summary>To be begun before the life of <see cref="Held"/> is lengthened. Null where there is no job.</summary>
    internal Renewal? Renewal { get; init; }

    internal Func<string, CancellationToken, ValueTask>? Announce { get; init; }

    /// <summary>Whether a policy lets a resource or an audience be asked for.</summary>
    internal bool MayNameResource(string name) => Resources is null || Resources.Contains(name, StringComparer.Ordinal);

    /// <summary>
    /// Writes the <see cref="Issued{TCredential}.RevocationHandle"/> of what is about to be made into the job's journal, if it has one: for an exchanger that chooses the handle itself, such as the name of a login. If the process is killed
    /// before the issuer has answered, the next start revokes by it. Call it before the issuer is asked.
    /// </summary>
    /// <remarks>
    /// An exchanger that throws a <see cref="TokenExchangeException"/> after that says that nothing was made. Where it can't know (the connection broke, the issuer did not answer in time), it gives an
    /// <see cref="Issued{TCredential}"/> with the handle and a <see cref="Issued{TCredential}.Flaw"/>, or throws any other exception, such as that of its cancellation: then what may have been made is revoked by the handle.
    /// </remarks>
    /// <param name="handle">The handle. Not secret.</param>
    /// <param name="cancellationToken">Cancelled at the flight's deadline.</param>
    /// <exception cref="TokenExchangeException">It can't be written (NHI6001): make nothing.</exception>
    public ValueTask AnnounceHandleAsync(string handle, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(handle);
        return Announce?.Invoke(handle, cancellationToken) ?? default;
    }
}
