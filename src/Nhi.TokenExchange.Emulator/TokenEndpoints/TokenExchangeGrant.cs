using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The grant of RFC 8693 at the authorization server.</summary>
internal sealed class TokenExchangeGrant(AuthorizationServer server, ProofVerifier proofs, Ledger ledger, TimeProvider time)
{
    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, RegisteredClient client)
    {
        RequestForm form = request.Form;
        if (!client.MayExchange)
            throw new OAuthRefusal("unauthorized_client", "grant_not_allowed", $"the client {client.ClientId} may not use the token exchange grant");
        ActorTypeFits(form);
        string requested = RequestedType(form);
        Party subject = await SubjectAsync(form, client).ConfigureAwait(false);
        Party? actor = await ActorAsync(form, client, subject).ConfigureAwait(false);
        IReadOnlyList<string> audience = server.TargetsOf(form, client);
        string scope = ScopeGrant.Of(form.One("scope"), client.Scopes, request.WiderScope);
        TokenFormat format = requested == TokenTypes.Jwt ? TokenFormat.Jwt : server.TokenFormat;
        EmulatorAnswer answer = server.Issue(request, client, format, subject.Subject, scope, audience, Act(subject, actor));
        answer.Json!["issued_token_type"] = requested;   // RFC 8693 §2.2.1: required
        return answer;
    }

    // RFC 8693 §2.1: actor_token_type is required with actor_token and must not be sent without.
    private static void ActorTypeFits(RequestForm form)
    {
        bool token = form.One("actor_token") is not null;
        bool type = form.One("actor_token_type") is not null;
        if (type && !token)
            throw OAuthRefusal.InvalidRequest("actor_type_without_token", "actor_token_type came without actor_token");
        if (token && !type)
            throw OAuthRefusal.InvalidRequest("actor_type_missing", "actor_token came without actor_token_type");
    }

    // RFC 8693 §2.1, §3: an unknown requested type is refused, not replaced.
    private static string RequestedType(RequestForm form) => form.One("requested_token_type") switch
    {
        null or TokenTypes.AccessToken => TokenTypes.AccessToken,
        TokenTypes.Jwt => TokenTypes.Jwt,
        string other => throw OAuthRefusal.InvalidRequest("requested_type_unknown", $"this server does not issue {other}"),
    };

    // RFC 8693 §4.1: the newest actor is outermost; earlier ones are nested.
    private static JsonObject? Act(Party subject, Party? actor)
    {
        if (actor is null)
            return subject.ActJson is null ? null : JsonNode.Parse(subject.ActJson)!.AsObject();
        var act = new JsonObject { ["sub"] = actor.Subject, ["iss"] = actor.Issuer };
        if (subject.ActJson is not null)
            act["act"] = JsonNode.Parse(subject.ActJson);
        return act;
    }

    private async Task<Party> SubjectAsync(RequestForm form, RegisteredClient client)
    {
        string token = form.Need("subject_token");
        string type = form.Need("subject_token_type");
        if (type == TokenTypes.AccessToken)
            return FromOwnToken(token);
        if (type is not (TokenTypes.Jwt or TokenTypes.IdToken))
            throw OAuthRefusal.InvalidRequest("subject_type_unknown", $"this server does not take {type} as subject_token_type");
        return await FromProofAsync(token, client.Policies, server.OneUseSubjectTokens).ConfigureAwait(false);
    }

    private async Task<Party?> ActorAsync(RequestForm form, RegisteredClient client, Party subject)
    {
        if (form.One("actor_token") is not { } token)
            return null;
        if (form.One("actor_token_type") is not (TokenTypes.Jwt or TokenTypes.IdToken))
            throw OAuthRefusal.InvalidRequest("actor_type_unknown", "this server takes a JWT as actor token");
        Party actor = await FromProofAsync(token, client.Actors, server.OneUseSubjectTokens).ConfigureAwait(false);
        // RFC 8693 §4.4: may_act in the subject token names who may act.
        if (subject.MayAct is { } may && may != actor.Subject)
            throw OAuthRefusal.InvalidRequest("actor_not_allowed", $"the subject token allows another actor than {actor.Subject}");
        return actor;
    }

    // RFC 8693 §2.2.2: a subject or actor token that is not acceptable is invalid_request.
    private async Task<Party> FromProofAsync(string token, IEnumerable<FederationPolicy> policies, bool once)
    {
        try
        {
            VerifiedProof proof = await proofs.VerifyAsync(token, [.. policies], server.DefaultAudiences, once).ConfigureAwait(false);
            string? act = proof.Jwt.Payload.TryGetProperty("act", out System.Text.Json.JsonElement claim) ? claim.GetRawText() : null;
            string? may = proof.Jwt.Payload.TryGetProperty("may_act", out System.Text.Json.JsonElement allowed)
                && allowed.ValueKind == System.Text.Json.JsonValueKind.Object && allowed.TryGetProperty("sub", out System.Text.Json.JsonElement who) ? who.ToString() : null;
            return new Party(proof.Subject, proof.Issuer, act, may);
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_request");
        }
    }

    // RFC 8693 §2.1 with type access_token: one that this server issued and that is alive at this moment; so hops chain.
    private Party FromOwnToken(string token)
    {
        if (ledger.Find(Ledger.FingerprintOf(token)) is not { } issue || issue.Issuer != server.IssuerText)
            throw OAuthRefusal.InvalidRequest("subject_token_unknown", "this server did not issue the subject token");
        if (issue.RevokedAt is not null)
            throw OAuthRefusal.InvalidRequest("subject_token_revoked", "the subject token was revoked");
        if (time.GetUtcNow() >= issue.EndsAt)
            throw OAuthRefusal.InvalidRequest("subject_token_expired", "the subject token is past its end");
        return new Party(issue.Subject, issue.Issuer, issue.ActJson, null);
    }

    private sealed record Party(string Subject, string Issuer, string? ActJson, string? MayAct);
}
