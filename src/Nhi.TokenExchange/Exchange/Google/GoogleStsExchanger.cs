namespace Nhi.TokenExchange;

/// <summary>An access token of Google Cloud for a proof of the job: workload identity federation, then the service account and the boundary if the target names them.</summary>
internal sealed class GoogleStsExchanger : TokenExchanger<BearerToken>
{
    private const string Everything = BroadScopes.Google;

    // A token that is only to be swapped for the service account's may do no more than that.
    private const string Impersonation = "https://www.googleapis.com/auth/iam";

    private static readonly TimeSpan LongestLife = TimeSpan.FromHours(1);

    private readonly OAuthIssuer _sts;
    private readonly GoogleServiceAccount? _account;
    private readonly GoogleStsRefusals _refusals;
    private readonly string[] _resources;
    private readonly string[] _permissions;
    private readonly byte[] _federation;
    private readonly byte[] _downscoping;

    /// <exception cref="ArgumentException">The provider or an option is wrong.</exception>
    public GoogleStsExchanger(string provider, GoogleStsOptions options)
    {
        GoogleProvider named = GoogleProvider.Read(provider, out string? fault) ?? throw new ArgumentException($"The provider {fault}. {GoogleProvider.Form}.", nameof(provider));
        Check(options);
        Issuer = options.StsEndpoint ?? new Uri($"https://sts.{options.UniverseDomain}");
        _sts = new OAuthIssuer(Issuer, new IssuerEndpoints(new Uri(Issuer, "/v1/token"), Revocation: null), ClientAuthentication.None(null));
        _refusals = new GoogleStsRefusals(named);
        if (options.ServiceAccount is { } account)
            _account = new GoogleServiceAccount(account, [.. options.Delegates], options.IamEndpoint ?? new Uri($"https://iamcredentials.{options.UniverseDomain}"), named);
        _resources = [.. options.Resources];
        _permissions = [.. options.Permissions];
        SubjectAudience = new Audience(options.SubjectAudience ?? named.SubjectAudience);
        UsableMargin = options.UsableMargin;
        FormBody form = Exchange().Add("audience", named.Audience);
        _federation = form.Encode();
        _downscoping = Exchange().Add("subject_token_type", SubjectTokenType.AccessToken.ToString()).Encode();

        static FormBody Exchange() => new FormBody().Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange").Add("requested_token_type", SubjectTokenType.AccessToken.ToString());
    }

    public override Uri Issuer { get; }

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.Yes("Google ends no such token before its time: a copy works until it dies, an hour after it was issued unless the target asks for another life");

    public override ExposureAnswer VisibleToOperators => OAuthIssuer.ShownOnce;

    internal override IReadOnlyList<string> Resources => _resources;

    internal override ScopeSet DefaultScopes { get; } = ScopeSet.Of(Everything);

    internal override bool Contains(ScopeSet asked, ScopeSet others) => asked.Contains(Everything) || base.Contains(asked, others);

    public override string? FlawOf(ScopeSet scopes) => GoogleNames.FaultOfScopes(scopes);

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        if (request.Actor is not null)
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; Google's STS takes none.") { Hint = "Leave the actor out." };
        string scopes = (request.Scopes.IsEmpty ? DefaultScopes : request.Scopes).ToString();
        Issued<BearerToken> issued = await FederateAsync(_account is null ? scopes : Impersonation, request, cancellationToken).ConfigureAwait(false);
        string federated = issued.Credential.Reveal();
        if (_account is not null && issued.Flaw is null)
            issued = await _account.ActAsync(issued.Credential, scopes.Split(' '), request, cancellationToken).ConfigureAwait(false);
        return _resources.Length > 0 && issued.Flaw is null ? await DownscopeAsync(issued.Credential, federated, request, cancellationToken).ConfigureAwait(false) : issued;
    }

    private async Task<Issued<BearerToken>> FederateAsync(string scopes, ExchangeRequest request, CancellationToken cancellationToken)
    {
        var call = new TokenCall
        {
            Prepared = _federation,
            Fill = form => form
                .Add("subject_token", request.Subject.Reveal())
                // What an issuer of ours gives as an access token is to Google a JWT of the pool's provider.
                .Add("subject_token_type", request.Subject.Type == SubjectTokenType.IdToken ? SubjectTokenType.IdToken.ToString() : SubjectTokenType.Jwt.ToString())
                .Add("scope", scopes),
            NotFoundHint = "Check StsEndpoint and UniverseDomain, if they are set.",
            RefusalHint = error => _refusals.HintFor(error, request.Subject),
        };
        var expected = new ExpectedToken { DefaultLifetime = LongestLife, Scopes = ScopeSet.Parse(scopes), RequestedType = SubjectTokenType.AccessToken };
        return expected.Issue(await _sts.AskAsync(call, request, cancellationToken).ConfigureAwait(false), request.Subject.Reveal());
    }

    // "options" is JSON that is percent-encoded before the form is, as all of Google's clients send it.
    private async Task<Issued<BearerToken>> DownscopeAsync(BearerToken source, string federated, ExchangeRequest request, CancellationToken cancellationToken)
    {
        string boundary = GoogleBoundary.Of(_resources.Where(request.MayNameResource), _permissions);
        var call = new TokenCall
        {
            Prepared = _downscoping,
            Fill = form => form.Add("subject_token", source.Reveal()).Add("options", Uri.EscapeDataString(boundary)),
            RefusalHint = _ => "Check Resources and Permissions: each resource has to be a bucket of Cloud Storage with uniform bucket-level access, each permission a role that can be granted on it.",
        };
        TokenAnswer answer = await _sts.AskAsync(call, request, cancellationToken).ConfigureAwait(false);
        // It can't outlive its source; where the answer says no life, that is its end.
        var expected = new ExpectedToken { DefaultLifetime = LongestLife, RequestedType = SubjectTokenType.AccessToken };
        Issued<BearerToken> issued = expected.Issue(answer, source.Reveal(), federated, request.Subject.Reveal());
        return !issued.EndIsAssumed && issued.Credential.ExpiresAt <= source.ExpiresAt ? issued : new Issued<BearerToken>(new BearerToken(issued.Credential.Reveal(), source.ExpiresAt))
        {
            GrantedScopes = issued.GrantedScopes, Audiences = issued.Audiences, CorrelationId = issued.CorrelationId, Flaw = issued.Flaw,
        };
    }

    private static void Check(GoogleStsOptions options)
    {
        Refuse(GoogleNames.FaultOfDomain(options.UniverseDomain), nameof(options.UniverseDomain));
        Endpoint(options.StsEndpoint, nameof(options.StsEndpoint));
        Endpoint(options.IamEndpoint, nameof(options.IamEndpoint));
        if (options.ServiceAccount is { } account)
            Refuse(GoogleNames.FaultOfAccount(account), nameof(options.ServiceAccount));
        else if (options.Delegates.Count > 0)
            throw new ArgumentException("Delegates are set without ServiceAccount. Set both, or none.", nameof(options));
        foreach ((int index, string one) in options.Delegates.Index())
            Refuse(GoogleNames.FaultOfAccount(one), $"Delegates[{index}]");
        foreach ((int index, string resource) in options.Resources.Index())
            Refuse(GoogleNames.FaultOfBucket(resource), $"Resources[{index}]");
        foreach ((int index, string permission) in options.Permissions.Index())
            Refuse(GoogleNames.FaultOfPermission(permission), $"Permissions[{index}]");
        if (options.Resources.Count > GoogleBoundary.MostRules)
            throw new ArgumentException($"Resources has {options.Resources.Count} entries; a boundary has at most {GoogleBoundary.MostRules}.", nameof(options));
        if (options.Resources.Count > 0 != options.Permissions.Count > 0)
            throw new ArgumentException("Resources and Permissions make one boundary. Set both, or none.", nameof(options));
        OptionChecks.Times(options.UsableMargin, LongestLife);
    }

    private static void Endpoint(Uri? endpoint, string name)
    {
        OptionChecks.Endpoint(endpoint, name);
        if (endpoint is not null && endpoint.PathAndQuery != "/")
            throw new ArgumentException($"{name} has a path. Give the address alone, such as https://sts.googleapis.com.", name);
    }

    private static void Refuse(string? fault, string option)
    {
        if (fault is not null)
            throw new ArgumentException($"{option} {fault}.", nameof(option));
    }
}
