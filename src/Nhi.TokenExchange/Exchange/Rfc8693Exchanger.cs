namespace Nhi.TokenExchange;

/// <summary>OAuth 2.0 Token Exchange (RFC 8693), with revocation by RFC 7009.</summary>
internal sealed class Rfc8693Exchanger : TokenExchanger<BearerToken>
{
    private readonly OAuthIssuer _issuer;
    private readonly string[] _resources;
    private readonly string[] _audiences;
    private readonly byte[] _prepared;
    private readonly ExpectedToken _expected;

    /// <exception cref="ArgumentException">An option is wrong.</exception>
    public Rfc8693Exchanger(Uri issuer, Rfc8693Options options)
    {
        OptionChecks.Issuer(issuer, nameof(issuer));
        OptionChecks.Resources(options.Resources);
        OptionChecks.Times(options.UsableMargin, options.DefaultLifetime);
        if (options.AuthorizationDetails is { } details && AuthorizationDetailsCheck.FaultOfAsked(details) is { } fault)
            throw new ArgumentException($"AuthorizationDetails {fault}.", nameof(options));
        _issuer = new OAuthIssuer(issuer, OptionChecks.Endpoints(options.TokenEndpoint, options.RevocationEndpoint), options.Client.Freeze(issuer));
        _resources = [.. options.Resources.Select(resource => resource.OriginalString)];
        _audiences = [.. options.Audiences];
        Resources = [.. _resources, .. _audiences];
        _expected = new ExpectedToken
        {
            DefaultLifetime = options.DefaultLifetime,
            RequestedType = options.RequestedTokenType,
            IssuedTypeIsDemanded = true,
            AuthorizationDetails = options.AuthorizationDetails,
            Audiences = Resources.Count == 0 ? [] : [.. Resources, .. options.AcceptedAudiences],
        };
        _prepared = Prepare(_resources, _audiences, options.AuthorizationDetails);
        SubjectAudience = new Audience(options.SubjectAudience ?? issuer.OriginalString);
        UsableMargin = options.UsableMargin;
        EndsWithSubjectToken = options.EndsWithSubjectToken;
    }

    public override Uri Issuer => _issuer.Identifier;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override bool EndsWithSubjectToken { get; }

    public override ExposureAnswer ReusableAfterJob => _issuer.ReusableAfterJob;

    public override ExposureAnswer VisibleToOperators => OAuthIssuer.ShownOnce;

    internal override LearntFact Learnt => _issuer.Learnt;

    internal override string WhyNothingEnds => _issuer.IsWithoutRevocation ? "no RevocationEndpoint is set beside TokenEndpoint" : base.WhyNothingEnds;

    internal override bool LearnsMore => _issuer.IsUnread;

    internal override IReadOnlyList<string> Resources { get; }

    internal override string? AuthorizationDetails => _expected.AuthorizationDetails;

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        var call = new TokenCall { Prepared = PreparedFor(request), Fill = form => Fill(form, request) };
        return _expected.For(request).Issue(await _issuer.AskAsync(call, request, cancellationToken).ConfigureAwait(false));
    }

    internal override async ValueTask LearnAsync(HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken) =>
        await _issuer.EndpointsAsync(backchannel, time, cancellationToken).ConfigureAwait(false);

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _issuer.RevokeAsync(request, cancellationToken);
    }

    // What a policy takes away is not asked for.
    private byte[] PreparedFor(ExchangeRequest request) => request.Resources is null && request.AuthorizationDetails is null
        ? _prepared
        : Prepare(_resources.Where(request.MayNameResource), _audiences.Where(request.MayNameResource), request.AuthorizationDetails ?? AuthorizationDetails);

    private byte[] Prepare(IEnumerable<string> resources, IEnumerable<string> audiences, string? details)
    {
        FormBody form = new FormBody().Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        // RFC 8693 §2.1: a name is repeated for several values, never joined.
        foreach (string resource in resources)
            form.Add("resource", resource);
        foreach (string audience in audiences)
            form.Add("audience", audience);
        return form
            .Add("requested_token_type", _expected.RequestedType?.ToString())
            .Add("authorization_details", details)
            .Encode();
    }

    private static void Fill(FormBody form, ExchangeRequest request)
    {
        form.Add("subject_token", request.Subject.Reveal())
            .Add("subject_token_type", request.Subject.Type.ToString())
            .Add("scope", request.Scopes.ToString());
        // RFC 8693 §2.1: the type goes with the token and never without it.
        if (request.Actor is { } actor)
            form.Add("actor_token", actor.Reveal()).Add("actor_token_type", actor.Type.ToString());
    }
}
