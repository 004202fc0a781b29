namespace Nhi.TokenExchange;

/// <summary>No exchange: what a vault keeps under the job's identity is read, while its time lasts. Nothing ends it but its owner.</summary>
internal sealed class StaticKeyExchanger : TokenExchanger<StaticKey>
{
    /// <summary>As long it is kept and handed out. It is read again at half of that while it is in use, so that a rotation is felt.</summary>
    public static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(15);

    // Who was handed the key at the end still has to read it.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly IKeyStore _store;
    private readonly StaticKeyUse _use;

    /// <exception cref="ArgumentException">The owner or the end is wrong.</exception>
    public StaticKeyExchanger(IKeyStore store, string owner, DateTimeOffset until, StaticKeyHeader? header)
    {
        if (StaticKeyTerms.FaultOfOwner(owner) is { } fault)
            throw new ArgumentException($"The owner {fault}. {StaticKeyTerms.OwnerRemedy}", nameof(owner));
        _store = store;
        _use = new StaticKeyUse { Owner = owner, Until = until.ToUniversalTime(), Secret = store.Secret };
        Header = header;
        SubjectAudience = new Audience(store.Issuer.GetLeftPart(UriPartial.Authority));
        Terms = new StaticKeyTerms(_use);
    }

    /// <summary>Where a handler puts it; null if none does.</summary>
    public StaticKeyHeader? Header { get; }

    public StaticKeyTerms Terms { get; }

    public override Uri Issuer => _store.Issuer;

    public override Audience SubjectAudience { get; }

    // At the service nothing ends then.
    public override TimeSpan UsableMargin => TimeSpan.Zero;

    public override ExposureAnswer ReusableAfterJob => ExposureAnswer.Yes("it is a static key, which is good until its owner changes it");

    public override ExposureAnswer VisibleToOperators => ExposureAnswer.Yes("it is kept in a vault, and whoever may read it there can see it");

    internal override StaticKeyUse StaticKey => _use;

    internal override TimeSpan LongestHandOut => KeptFor;

    internal override string HopRemedy => _store.HopRemedy;

    public override string? FlawOf(ScopeSet scopes) => scopes.IsEmpty ? null : "are set; a static key has none: leave them out";

    internal override string? FlawOfHop(TokenExchanger? hop, ScopeSet scopes) => _store.FlawOfHop(hop, scopes);

    public override async ValueTask<Issued<StaticKey>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        VaultOptionChecks.NoActor(request);
        Terms.ThrowIfOver(request.Time);
        long readAt = request.Time.GetTimestamp();
        StoredKey stored = await _store.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        Terms.ThrowIfOver(request.Time);   // a slow vault
        string text = stored.Reveal();
        Check(stored, text, request.Time.GetUtcNow());
        // One that has not changed is not there twice.
        KeptKey kept = request.Held is StaticKey held && held.Kept.Reveal() == text ? held.Kept : new KeptKey(text, request.Time);
        kept.KeepFor(KeptFor + Grace);
        DateTimeOffset end = stored.EndsAt is { } ends && ends < _use.Until ? ends : _use.Until;
        return new Issued<StaticKey>(new StaticKey(kept, Nhi.TokenExchange.StaticKey.FingerprintOf(text, _store.Secret), stored.Version, end, readAt)) { CorrelationId = stored.CorrelationId };
    }

    // The key is let go; that it lives on, whoever asks is told (LeaseEnd.LivesOn).
    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<StaticKey> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        request.Credential?.Kept.LetGo();
        return new(Revocation.NotSupported);
    }

    private void Check(StoredKey stored, string text, DateTimeOffset now)
    {
        if (stored.NotBefore > now || stored.EndsAt <= now)
        {
            string said = stored.EndsAt <= now ? FormattableString.Invariant($"has expired at {stored.EndsAt:O}") : FormattableString.Invariant($"is not to be used before {stored.NotBefore:O}");
            throw Unfit(stored, ErrorCodes.DeadOnArrival, $"{said}, as the vault says; it is {now:O} now", $"Let its owner, {_use.Owner}, store the next version.");
        }
        if ((StaticKeyTerms.FaultOfKey(text) ?? Header?.FaultOf(text)) is { } fault)
            throw Unfit(stored, ErrorCodes.StaticKeyUnfit, fault, $"Let its owner, {_use.Owner}, store the key alone, as its service wants to see it.");
    }

    private TokenExchangeException Unfit(StoredKey stored, string code, string what, string hint) =>
        new(code, ExchangeStage.Verify, $"The static key at {_store.Secret} {what}. It is not handed out.") { CorrelationId = stored.CorrelationId, Hint = hint };
}
