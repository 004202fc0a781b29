namespace Nhi.TokenExchange;

/// <summary>Databricks token federation: RFC 8693 at a fixed path, with the client id in the form or absent.</summary>
internal sealed class DatabricksExchanger : TokenExchanger<BearerToken>
{
    // The default of Databricks' own SDKs.
    private const string AllApis = "all-apis";

    // Documented: an hour. Taken only if the answer does not say.
    private static readonly ExpectedToken Expected = new() { DefaultLifetime = TimeSpan.FromMinutes(5) };

    private readonly OAuthIssuer _issuer;
    private readonly byte[] _prepared;

    /// <exception cref="ArgumentException">The host or an option is wrong.</exception>
    public DatabricksExchanger(Uri workspace, string? clientId, DatabricksOptions options)
    {
        OptionChecks.Issuer(workspace, nameof(workspace));
        if (workspace.AbsolutePath != "/")
            throw new ArgumentException("The workspace has a path. Give the host alone, such as https://workspace.example.", nameof(workspace));
        if (options.AccountId is { } id && (id.Length == 0 || !id.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-')))
            throw new ArgumentException("AccountId has other characters than letters, digits and hyphens.", nameof(options));
        OptionChecks.Times(options.UsableMargin, Expected.DefaultLifetime);
        var endpoint = new Uri(workspace, options.AccountId is null ? "/oidc/v1/token" : $"/oidc/accounts/{options.AccountId}/v1/token");
        _issuer = new OAuthIssuer(workspace, new IssuerEndpoints(endpoint, Revocation: null), ClientAuthentication.None(clientId));
        _prepared = new FormBody()
            .Add("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
            .Add("subject_token_type", SubjectTokenType.Jwt.ToString())   // the one type there is, whatever the platform calls its proof
            .Encode();
        SubjectAudience = new Audience(options.SubjectAudience ?? options.AccountId ?? endpoint.AbsoluteUri);
        UsableMargin = options.UsableMargin;
    }

    public override Uri Issuer => _issuer.Identifier;

    public override Audience SubjectAudience { get; }

    public override TimeSpan UsableMargin { get; }

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
            Prepared = _prepared,
            Fill = form => form.Add("subject_token", request.Subject.Reveal()).Add("scope", request.Scopes.IsEmpty ? AllApis : request.Scopes.ToString()),
            ServerErrorIsFinal = true,   // Databricks' own SDKs don't ask again after 500
            NotFoundHint = "Token federation is not available on this host. Check that it is the workspace's (or the accounts') host, and AccountId.",
        };
        return Expected.Issue(await _issuer.AskAsync(call, request, cancellationToken).ConfigureAwait(false));
    }
}
