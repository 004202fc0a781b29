using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>Finds out which client asks: <c>client_id</c> alone for public clients, <c>private_key_jwt</c> for the others.</summary>
internal sealed class ClientAuthentication(string issuer, string tokenEndpoint, Func<string, RegisteredClient?> find, TimeProvider time, TimeSpan leeway)
{
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256"];

    private readonly ReplayMemory _replays = new(time, leeway);

    public async Task<RegisteredClient> AuthenticateAsync(EmulatorRequest request)
    {
        // RFC 6749 §2.3: a client must not use more than one method; this server knows no passwords at all.
        if (request.Authorization.Length > 0)
            throw OAuthRefusal.InvalidClient("client_method", "this server authenticates clients by private_key_jwt or not at all; no Authorization header");
        if (request.Form.One("client_secret") is not null)
            throw OAuthRefusal.InvalidClient("client_method", "this server knows no client secrets");
        if (request.Form.One("client_assertion") is { } assertion)
            return await ByAssertionAsync(request.Form, assertion).ConfigureAwait(false);
        if (request.Form.One("client_assertion_type") is not null)
            throw OAuthRefusal.InvalidRequest("client_assertion_missing", "client_assertion_type came without client_assertion");
        if (request.Form.One("client_id") is not { } id)
            throw OAuthRefusal.InvalidClient("client_missing", "the request names no client");
        if (find(id) is not { } client)
            throw OAuthRefusal.InvalidClient("client_unknown", $"the client {id} is not registered");
        // RFC 6749 §3.2.1: a confidential client must authenticate.
        return client.Jwks is null ? client : throw OAuthRefusal.InvalidClient("client_not_authenticated", $"the client {id} must authenticate by private_key_jwt");
    }

    private async Task<RegisteredClient> ByAssertionAsync(RequestForm form, string assertion)
    {
        // RFC 7523 §2.2.
        if (form.One("client_assertion_type") != AssertionType)
            throw OAuthRefusal.InvalidClient("client_assertion_type", $"client_assertion_type must be {AssertionType}");
        try
        {
            ReceivedJwt jwt = ReceivedJwt.Parse(assertion);
            string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
            JwtChecks.HeaderIsPlain(jwt);
            // draft-ietf-oauth-rfc7523bis: typ client-authentication+jwt; older clients say JWT or nothing.
            JwtChecks.TypeExpected(jwt, "client-authentication+jwt", "JWT");
            string id = JwtChecks.SubjectPresent(jwt, "sub");
            // RFC 7523 §3 (1), (2): the issuer and the subject are the client; a client_id, if sent, is the same.
            if (JwtChecks.IssuerNamed(jwt) != id || (form.One("client_id") is { } named && named != id))
                throw new ProofRefused("client_mismatch", "iss, sub and client_id must be the same client");
            if (find(id) is not { Jwks: { } jwks } client)
                throw new ProofRefused("client_unknown", $"the client {id} is not registered with keys");
            await JwtChecks.SignatureGoodAsync(jwt, KeyOf(jwt, jwks), algorithm).ConfigureAwait(false);
            DateTimeOffset now = time.GetUtcNow();
            DateTimeOffset ends = JwtChecks.NotExpired(jwt, now, leeway);
            JwtChecks.AlreadyValid(jwt, now, leeway);
            SoleAudience(jwt, client);
            JwtChecks.UsedOnce(jwt, id, ends, _replays, required: true);
            return client;
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_client");
        }
    }

    private static JsonWebKey KeyOf(ReceivedJwt jwt, string jwks)
    {
        string? id = jwt.HeaderText("kid");
        IList<JsonWebKey> keys = new JsonWebKeySet(jwks).Keys;
        return (id is null && keys.Count == 1 ? keys[0] : keys.FirstOrDefault(key => key.KeyId == id))
            ?? throw new ProofRefused("key_unknown", "the client registered no key with the id that the header names");
    }

    // draft-ietf-oauth-rfc7523bis: the issuer identifier is the sole audience; the token endpoint only where an old client is allowed to.
    private void SoleAudience(ReceivedJwt jwt, RegisteredClient client)
    {
        if (jwt.Audience() is not [{ } audience] || !(audience == issuer || (client.AcceptsTokenEndpointAsAudience && audience == tokenEndpoint)))
            throw new ProofRefused("audience_mismatch", $"the sole audience of a client assertion must be {issuer}");
    }
}
