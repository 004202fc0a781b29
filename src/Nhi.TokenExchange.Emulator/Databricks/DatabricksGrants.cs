using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The token endpoint of workspace and account, in its two dialects: a foreign proof becomes a token, a token of its own a narrower one.</summary>
internal sealed class DatabricksGrants(DatabricksWorkspace workspace, ProofIssuers issuers, Ledger ledger, EmulatorOptions options)
{
    // "Configure a federation policy": RS256 and ES256 only.
    private static readonly string[] ProofAlgorithms = ["RS256", "ES256"];

    private readonly ProofVerifier _proofs = new(issuers, options.Time, options.ClockLeeway, ProofAlgorithms);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, bool account)
    {
        RequestForm form = request.Form;
        // "credentials go in the form": no Authorization header, no secret.
        if (request.Authorization.Length > 0 || form.One("client_secret") is not null)
            throw OAuthRefusal.InvalidClient("client_method", "token federation takes no Authorization header and no client secret");
        (string proof, string? clientId) = form.Need("grant_type") switch
        {
            TokenTypes.ExchangeGrant => (SubjectToken(form), form.One("client_id")),
            TokenTypes.JwtBearerGrant => (form.Need("assertion"), form.One("identity_federation_client_id")),
            var grant => throw new OAuthRefusal("unsupported_grant_type", "grant_unknown", $"the grant {grant} is not supported here"),
        };
        string? details = DatabricksDetails.Read(form.One("authorization_details"), workspace.AuthorizationDetailsTypes);
        LedgerIssue? own = ledger.Find(Ledger.FingerprintOf(proof));
        return workspace.IsIssuerOf(own)
            ? Narrow(request, own!, clientId, details, account)
            : await FederateAsync(request, proof, clientId, details, account).ConfigureAwait(false);
    }

    private static string SubjectToken(RequestForm form)
    {
        if (form.One("actor_token") is not null || form.One("actor_token_type") is not null)
            throw OAuthRefusal.InvalidRequest("actor_not_supported", "actor tokens are not supported here");
        string token = form.Need("subject_token");
        return form.Need("subject_token_type") is var type && type == TokenTypes.Jwt ? token : throw OAuthRefusal.InvalidRequest("subject_type_unknown", $"subject_token_type must be {TokenTypes.Jwt}");
    }

    private async Task<EmulatorAnswer> FederateAsync(EmulatorRequest request, string proof, string? clientId, string? details, bool account)
    {
        string asked = request.Form.Need("scope");
        ServicePrincipal principal = await PrincipalAsync(clientId, proof).ConfigureAwait(false);
        return Issue(request, account, principal.Name, clientId, ScopeGrant.Of(asked, principal.Scopes, request.WiderScope), details, workspace.TokenLifetime);
    }

    // Nobody gains by it: not a scope, not a second of life, not a detail.
    private EmulatorAnswer Narrow(EmulatorRequest request, LedgerIssue own, string? clientId, string? details, bool account)
    {
        DateTimeOffset now = options.Time.GetUtcNow();
        if (own.RevokedAt is not null || now >= own.EndsAt)
            throw new OAuthRefusal("invalid_grant", "expired", "the token to be narrowed is no longer valid");
        if (clientId is not null)
            throw OAuthRefusal.InvalidRequest("client_not_for_narrowing", "a token of this host is narrowed without naming a client");
        if (own.AuthorizationDetails is not null)
            throw new OAuthRefusal("invalid_grant", "narrowed_already", "a token with authorization details is not narrowed again");
        if (account && own.Issuer != workspace.AccountIssuerText)
            throw new OAuthRefusal("invalid_grant", "other_level", "a workspace's token is not taken at the account's endpoint");
        IEnumerable<string> may = own.Scopes.Contains("all-apis") ? own.Scopes.Concat(workspace.FindPrincipal(own.Subject)?.Scopes ?? []) : own.Scopes;
        string scope = ScopeGrant.Of(request.Form.One("scope") ?? own.Scope, may, request.WiderScope);
        TimeSpan left = own.EndsAt - now;
        return Issue(request, account, own.Subject, own.ClientId, scope, details, left < workspace.TokenLifetime ? left : workspace.TokenLifetime);
    }

    private EmulatorAnswer Issue(EmulatorRequest request, bool account, string subject, string? clientId, string scope, string? details, TimeSpan life)
    {
        string[] audience = account ? [workspace.AccountId, workspace.Origin] : [workspace.Origin];
        (string token, _) = workspace.MintOf(account).Issue(TokenFormat.Jwt, life, clientId, subject, scope, audience, act: null, request.RequestId, details, workspace.StatesAuthorizationDetails);
        var answer = new JsonObject { ["access_token"] = token, ["scope"] = scope, ["token_type"] = "Bearer", ["expires_in"] = (long)life.TotalSeconds };
        if (details is not null && workspace.StatesAuthorizationDetails)
            answer["authorization_details"] = JsonNode.Parse(details);
        return EmulatorAnswer.Of(answer).NotStored();
    }

    private async Task<ServicePrincipal> PrincipalAsync(string? clientId, string proof)
    {
        try
        {
            if (clientId is not null)
            {
                if (workspace.FindPrincipal(clientId) is not { } principal || !Guid.TryParse(clientId, out _))
                    throw OAuthRefusal.InvalidClient("client_unknown", $"there is no service principal with the application id {clientId}");
                // A service principal's policy must name the subject; one without never matches.
                FederationPolicy[] policies = [.. principal.Policies.Where(policy => policy.Subject is not null)];
                _ = await _proofs.VerifyAsync(proof, policies, [workspace.AccountId], workspace.OneUseSubjectTokens).ConfigureAwait(false);
                return principal;
            }

            VerifiedProof verified = await _proofs.VerifyAsync(proof, [.. workspace.AccountPolicies], [workspace.AccountId], workspace.OneUseSubjectTokens).ConfigureAwait(false);
            return workspace.FindPrincipal(verified.Subject) ?? throw new ProofRefused("subject_mismatch", $"the subject {verified.Subject} is no user or service principal of this account");
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_request");
        }
    }
}
