namespace Nhi.TokenExchange;

/// <summary>OAuth 2.0 Token Exchange (RFC 8693), with revocation by RFC 7009.</summary>
internal sealed class Rfc8693Exchanger : TokenExchanger<BearerToken>
{
    private readonly OAuthIssuer _issuer;
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
        _prepared = Prepare(options);
        _expected = new ExpectedToken
        {
            DefaultLifetime = options.DefaultLifetime,
            RequestedType = options.RequestedTokenType,
            IssuedTypeIsDemanded = true,
            AuthorizationDetails = options.AuthorizationDetails,
            Audiences = options.Audiences.Count + options.Resources.Count == 0 ? [] : [.. options.Audiences, .. options.Resources.Select(resource => resource.OriginalString), .. options.AcceptedAudiences],
        };
        SubjectAudience = new Audience(options.SubjectAudience ?? issuer.OriginalString);
        UsableMargin = options.UsableMargin;
        EndsWithSubjectToken = options.EndsWithSubjectToken;
    }

    public override Uri Issuer => _issuer.Identifier;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override bool EndsWithSubjectToken { get; }

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        var call = new TokenCall { Prepared = _prepared, Fill = form => Fill(form, request) };
        return _expected.Issue(await _issuer.AskAsync(call, request, cancellationToken).ConfigureAwait(false));
    }

    public override ValueTask<Revocation> RevokeAsync(RevocationRequest<BearerToken> request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _issuer.RevokeAsync(request, cancellationToken);
    }

    private static byte[] Prepare(Rfc8693Options options)
    {
        FormBody form = new FormBody().Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange");
        // RFC 8693 §2.1: a name is repeated for several values, never joined.
        foreach (Uri resource in options.Resources)
            form.Add("resource", resource.OriginalString);
        foreach (string audience in options.Audiences)
            form.Add("audience", audience);
        return form
            .Add("requested_token_type", options.RequestedTokenType?.ToString())
            .Add("authorization_details", options.AuthorizationDetails)
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
