namespace Nhi.TokenExchange;

/// <summary>The grant of RFC 7523 §2.1 at the authorization server: the proof itself is the grant.</summary>
internal sealed class JwtBearerGrant(AuthorizationServer server, ProofVerifier proofs)
{
    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, RegisteredClient client)
    {
        if (!client.MayUseJwtBearer)
            throw new OAuthRefusal("unauthorized_client", "grant_not_allowed", $"the client {client.ClientId} may not use the JWT bearer grant");
        string assertion = request.Form.Need("assertion");
        VerifiedProof proof;
        try
        {
            // RFC 7523 §3 (3): the audience is the issuer identifier or the token endpoint.
            proof = await proofs.VerifyAsync(assertion, [.. client.Policies], server.AssertionAudiences, server.OneUseAssertions).ConfigureAwait(false);
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_grant");   // RFC 7523 §3.1
        }

        string scope = ScopeGrant.Of(request.Form.One("scope"), client.Scopes, request.WiderScope);
        return server.Issue(request, client, server.TokenFormat, proof.Subject, scope, server.TargetsOf(request.Form, client), act: null);
    }
}
