namespace Nhi.TokenExchange;

/// <summary>Databricks: token federation, and the narrowing of a token that it issued itself, at a fixed path of a workspace or an account.</summary>
/// <remarks>What was sent is never handed on: if the exchange fails it fails, and an answer that brings the proof back is refused.</remarks>
internal sealed class DatabricksExchanger : TokenExchanger<BearerToken>
{
    private const string AllApis = BroadScopes.Databricks;

    // Documented: an hour. Taken only if the answer does not say.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromMinutes(5);

    private readonly OAuthIssuer _issuer;
    private readonly ExpectedToken _expected;
    private readonly DatabricksDialect _dialect;
    private readonly DatabricksRefusals _refusals;
    private readonly string? _clientId;
    private readonly byte[] _prepared;

    /// <exception cref="ArgumentException">The host or an option is wrong.</exception>
    public DatabricksExchanger(Uri workspace, string? clientId, DatabricksOptions options)
    {
        OptionChecks.Issuer(workspace, nameof(workspace));
        OptionChecks.ClientId(clientId, nameof(clientId));
        Check(workspace, options);
        OptionChecks.Times(options.UsableMargin, DefaultLifetime);
        _dialect = options.Dialect;
        var endpoint = new Uri(workspace, options.AccountId is null ? "/oidc/v1/token" : $"/oidc/accounts/{options.AccountId}/v1/token");
        _issuer = new OAuthIssuer(workspace, new IssuerEndpoints(endpoint, Revocation: null), ClientAuthentication.None(_dialect == DatabricksDialect.TokenExchange ? clientId : null));
        _expected = new ExpectedToken { DefaultLifetime = DefaultLifetime, AuthorizationDetails = options.AuthorizationDetails, DetailsMayGoUnsaid = options.AllowUnstatedDetails, ScopeOfAll = AllApis };
        _refusals = new DatabricksRefusals(workspace, clientId, _dialect);
        // Where details narrow a token of Databricks' own, its SDKs name no scope: the details say it all.
        DefaultScopes = _dialect == DatabricksDialect.JwtBearer && options.AuthorizationDetails is not null ? ScopeSet.Empty : ScopeSet.Of(AllApis);
        _clientId = clientId;
        _prepared = Prepare(options.AuthorizationDetails);
        SubjectAudience = new Audience(options.SubjectAudience ?? options.AccountId ?? endpoint.AbsoluteUri);
        UsableMargin = options.UsableMargin;
    }

    public override Uri Issuer => _issuer.Identifier;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.Yes("Databricks ends no token before its time: a copy works until it dies, an hour after it was issued");

    public override ExposureAnswer VisibleToOperators => OAuthIssuer.ShownOnce;

    internal override string? AuthorizationDetails => _expected.AuthorizationDetails;

    internal override ScopeSet DefaultScopes { get; }

    internal override bool Contains(ScopeSet asked, ScopeSet others) => asked.Contains(AllApis) || base.Contains(asked, others);

    public override string? FlawOf(ScopeSet scopes)
    {
        foreach (string scope in scopes.Values)
        {
            if (scope == "offline_access")
                return "name offline_access, which asks for a refresh token; a job exchanges anew instead. Leave it out";
            if (scope.EndsWith("/.default", StringComparison.Ordinal))
                return "name a scope of Entra ID. Here write scopes of the Databricks API, such as sql; an Entra token for Databricks comes from the exchange Entra";
            if (scope == AllApis && scopes.Values.Count > 1)
                return "name all-apis beside others, which it contains. Leave it out, so that the narrow ones hold";
        }
        return null;
    }

    public override async ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        OptionChecks.NoTenantOrClaims(request);
        if (request.Actor is not null)
        {
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Exchange, "The target names an actor; Databricks takes none.")
            {
                Hint = "Leave the actor out.",
            };
        }
        var call = new TokenCall
        {
            Prepared = request.AuthorizationDetails is { } left ? Prepare(left) : _prepared,
            Fill = form => form
                .Add(_dialect == DatabricksDialect.TokenExchange ? "subject_token" : "assertion", request.Subject.Reveal())
                .Add("scope", (request.Scopes.IsEmpty ? DefaultScopes : request.Scopes).ToString()),
            ServerErrorIsFinal = true,   // Databricks' own SDKs don't ask again after 500
            NotFoundHint = "Token federation is not available on this host. Check that it is the workspace's (or the accounts') host, and AccountId.",
            RefusalHint = error => _refusals.HintFor(error, request.Subject),
        };
        return _expected.For(request).Issue(await _issuer.AskAsync(call, request, cancellationToken).ConfigureAwait(false), request.Subject.Reveal());
    }

    private byte[] Prepare(string? details)
    {
        FormBody form = _dialect == DatabricksDialect.TokenExchange
            ? new FormBody()
                .Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
                .Add("subject_token_type", SubjectTokenType.Jwt.ToString())   // the one type there is, whatever the platform calls its proof
            // The older drivers also send return_original_token_if_authenticated: we never ask for our own proof.
            : new FormBody().Add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer").Add("identity_federation_client_id", _clientId);
        return form.Add("authorization_details", details).Encode();
    }

    private static void Check(Uri workspace, DatabricksOptions options)
    {
        if (workspace.AbsolutePath != "/")
            throw new ArgumentException("The workspace has a path. Give the host alone, such as https://workspace.example.", nameof(workspace));
        if (options.AccountId is null && IsAccountsHost(workspace))
            throw new ArgumentException("The host is the accounts' and AccountId is not set. Set it; the account console shows it.", nameof(options));
        if (options.AccountId is { } id && (id.Length == 0 || !id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')))
            throw new ArgumentException("AccountId has other characters than letters, digits and hyphens.", nameof(options));
        if (!Enum.IsDefined(options.Dialect))
            throw new ArgumentException("Dialect is none of its values.", nameof(options));
        if (options.AuthorizationDetails is { } details && AuthorizationDetailsCheck.FaultOfAsked(details) is { } fault)
            throw new ArgumentException($"AuthorizationDetails {fault}.", nameof(options));
        if (options.AllowUnstatedDetails && options.AuthorizationDetails is null)
            throw new ArgumentException("AllowUnstatedDetails is set without AuthorizationDetails. Set both or neither.", nameof(options));
    }

    /// <summary>Whether a host is that of accounts, where each endpoint names one.</summary>
    internal static bool IsAccountsHost(Uri host) => host.IdnHost.StartsWith("accounts.", StringComparison.OrdinalIgnoreCase);
}
