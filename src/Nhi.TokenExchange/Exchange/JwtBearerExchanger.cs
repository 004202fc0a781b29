namespace Nhi.TokenExchange;

/// <summary>The proof as an authorization grant (RFC 7523 §2.1), with revocation by RFC 7009.</summary>
internal sealed class JwtBearerExchanger : TokenExchanger<BearerToken>
{
    private readonly OAuthIssuer _issuer;
    private readonly byte[] _prepared;
    private readonly ExpectedToken _expected;

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public JwtBearerExchanger(Uri issuer, JwtBearerOptions options)
    {
        OptionChecks.Issuer(issuer, nameof(issuer));
        OptionChecks.Resources(options.Resources);
        OptionChecks.Times(options.UsableMargin, options.DefaultLifetime);
        _issuer = new OAuthIssuer(issuer, OptionChecks.Endpoints(options.TokenEndpoint, options.RevocationEndpoint), options.Client.Freeze(issuer));
        Resources = [.. options.Resources.Select(resource => resource.OriginalString)];
        _prepared = Prepare(Resources);
        _expected = new ExpectedToken
        {
            DefaultLifetime = options.DefaultLifetime,
            Audiences = Resources.Count == 0 ? [] : [.. Resources, .. options.AcceptedAudiences],
        };
        SubjectAudience = new Audience(options.SubjectAudience ?? issuer.OriginalString);
        UsableMargin = options.UsableMargin;
    }

    public override Uri Issuer => _issuer.Identifier;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override ExposureAnswer ReusableAfterJob => _issuer.ReusableAfterJob;

    public override ExposureAnswer VisibleToOperators => OAuthIssuer.ShownOnce;

    internal override LearntFact Learnt => _issuer.Learnt;

    internal override string WhyNothingEnds => _issuer.IsWithoutRevocation ? "no RevocationEndpoint is set beside TokenEndpoint" : base.WhyNothingEnds;

    internal override bool LearnsMore => _issuer.IsUnread;

    internal override IReadOnlyList<string> Resources { get; }

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        if (request.Actor is not null)
        {
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; a grant by assertion has no place for one.")
            {
                Hint = "Leave the actor out, or use Targets.Rfc8693.",
            };
        }
        var call = new TokenCall
        {
            Prepared = request.Resources is null ? _prepared : Prepare(Resources.Where(request.MayNameResource)),   // what a policy takes away is not asked for
            Fill = form => form.Add("assertion", request.Subject.Reveal()).Add("scope", request.Scopes.ToString()),
        };
        return _expected.For(request).Issue(await _issuer.AskAsync(call, request, cancellationToken).ConfigureAwait(false));
    }

    internal override async ValueTask LearnAsync(HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken) =>
        await _issuer.EndpointsAsync(backchannel, time, cancellationToken).ConfigureAwait(false);

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _issuer.RevokeAsync(request, cancellationToken);
    }

    private static byte[] Prepare(IEnumerable<string> resources)
    {
        FormBody form = new FormBody().Add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        foreach (string resource in resources)
            form.Add("resource", resource);
        return form.Encode();
    }
}
