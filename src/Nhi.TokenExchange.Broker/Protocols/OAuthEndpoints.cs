using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>OAuth 2.0: token exchange (RFC 8693), revocation (RFC 7009), introspection (RFC 7662), and the document that says where they are (RFC 8414).</summary>
internal static class OAuthEndpoints
{
    public const string MetadataPath = "/.well-known/oauth-authorization-server";
    public const string TokenPath = "/oauth2/token";
    public const string RevocationPath = "/oauth2/revoke";
    public const string IntrospectionPath = "/oauth2/introspect";

    /// <summary>A type of subject token of our own: <c>self</c> is the process at the other end of the connection, which the kernel names. What it gets ends with it.</summary>
    public const string ProcessType = "urn:nhi:params:token-type:process";

    private const string ExchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
    private const string AccessTokenType = "urn:ietf:params:oauth:token-type:access_token";

    public static BrokerAnswer Metadata(BrokerCall call, Uri address)
    {
        call.NeedMethod("GET");
        JsonArray methods = ["client_secret_basic", "client_secret_post"];
        return BrokerAnswer.Json(new JsonObject
        {
            ["issuer"] = address.GetLeftPart(UriPartial.Authority),
            ["token_endpoint"] = new Uri(address, TokenPath).AbsoluteUri,
            ["revocation_endpoint"] = new Uri(address, RevocationPath).AbsoluteUri,
            ["introspection_endpoint"] = new Uri(address, IntrospectionPath).AbsoluteUri,
            ["grant_types_supported"] = new JsonArray(ExchangeGrant),
            ["response_types_supported"] = new JsonArray(),
            ["token_endpoint_auth_methods_supported"] = methods,
            ["revocation_endpoint_auth_methods_supported"] = methods.DeepClone(),
            ["introspection_endpoint_auth_methods_supported"] = methods.DeepClone(),
        });
    }

    /// <summary>RFC 8693 §2.</summary>
    public static async Task<BrokerAnswer> ExchangeAsync(BrokerCall call)
    {
        OAuthForm form = await OAuthForm.ReadAsync(call).ConfigureAwait(false);
        if (form.Need("grant_type") != ExchangeGrant)
            throw new BrokerRefusal(RefusalKind.UnsupportedGrant, $"the only grant here is {ExchangeGrant}");
        if (form.One("requested_token_type") is { } type && type != AccessTokenType)
            throw new BrokerRefusal(RefusalKind.Malformed, $"the only requested_token_type here is {AccessTokenType}");
        if (form.One("actor_token") is not null || form.One("actor_token_type") is not null)
            throw new BrokerRefusal(RefusalKind.Malformed, "no actor_token is taken: the job is the actor already");
        Caller caller = Subject(call, form);
        CredentialProvider<BearerToken> provider = Target(call, form);
        BearerToken token = await HandingOut.GetAsync(call, caller, provider, Scopes(form)).ConfigureAwait(false);
        var answer = new JsonObject
        {
            ["access_token"] = token.Reveal(), ["issued_token_type"] = AccessTokenType, ["token_type"] = "Bearer", ["expires_in"] = HandingOut.SecondsLeft(call, token),
        };
        if ((Scopes(form) ?? provider.Scopes) is { IsEmpty: false } scopes)
            answer["scope"] = scopes.ToString();
        return BrokerAnswer.Json(answer);
    }

    /// <summary>RFC 7009 §2. A token of another client is one that nobody knows: no one can find out what others hold.</summary>
    public static async Task<BrokerAnswer> RevokeAsync(BrokerCall call)
    {
        OAuthForm form = await OAuthForm.ReadAsync(call).ConfigureAwait(false);
        Caller caller = form.Client(call);
        using IDisposable counted = caller.Enter();
        if (call.Held(caller, form.Need("token")) is { } held)
            await call.Callers.EndCredentialAsync(held.Holder, held.Token, "it gave the credential back").ConfigureAwait(false);
        return new BrokerAnswer(200, "application/json", []);
    }

    /// <summary>RFC 7662 §2.</summary>
    public static async Task<BrokerAnswer> IntrospectAsync(BrokerCall call)
    {
        OAuthForm form = await OAuthForm.ReadAsync(call).ConfigureAwait(false);
        Caller caller = form.Client(call);
        using IDisposable counted = caller.Enter();
        return call.Held(caller, form.Need("token")) is (_, var token) && call.Plan.Session.IsAlive(token) && HandingOut.SecondsLeft(call, token) > 0
            ? BrokerAnswer.Json(new JsonObject { ["active"] = true, ["token_type"] = "Bearer", ["exp"] = token.UnusableFrom.ToUnixTimeSeconds(), ["client_id"] = caller.Identity.Name })
            : BrokerAnswer.Json(new JsonObject { ["active"] = false });
    }

    /// <summary>RFC 6749 §5.2.</summary>
    public static BrokerAnswer Refuse(BrokerRefusal refusal)
    {
        BrokerAnswer answer = BrokerAnswer.Json(new JsonObject { ["error"] = refusal.OAuthCode, ["error_description"] = Described(refusal.Message) }, refusal.Status);
        if (refusal.Status == 401)
            answer.Headers["WWW-Authenticate"] = "Bearer";
        return answer;
    }

    private static Caller Subject(BrokerCall call, OAuthForm form)
    {
        Caller? client = form.Presented(call);
        string subject = form.Need("subject_token");
        switch (form.Need("subject_token_type"))
        {
            case AccessTokenType:
                Caller owner = call.ByToken(subject) ?? throw new BrokerRefusal(RefusalKind.WrongSubject, "the subject_token is none of this broker's");
                return client is null || client == owner ? owner : throw new BrokerRefusal(RefusalKind.WrongSubject, "the subject_token is another client's");
            case ProcessType when subject == "self":
                if (client is null && !call.Peer.IsLocalSocket)
                    throw new BrokerRefusal(RefusalKind.Unproven, "over loopback the client's token is asked for, too: send it as 'Authorization: Bearer TOKEN'");
                return call.ByProcess();
            default:
                throw new BrokerRefusal(RefusalKind.Malformed, $"a subject_token is the client's own token ({AccessTokenType}), or 'self' ({ProcessType})");
        }
    }

    private static CredentialProvider<BearerToken> Target(BrokerCall call, OAuthForm form)
    {
        string[] names = [.. form.All("resource"), .. form.All("audience")];
        if (names.Length == 0)
            throw new BrokerRefusal(RefusalKind.Malformed, "neither resource nor audience says what the token is for");
        CredentialProvider<BearerToken>[] found = [.. names.Select(name => call.Plan.ByResource.GetValueOrDefault(name) ?? throw new BrokerRefusal(
            RefusalKind.UnknownTarget, $"'{ExceptionText.Clean(name, 200)}' is not handed out here; what is: {string.Join(", ", call.Plan.ByResource.Keys.Order(StringComparer.Ordinal))}")).Distinct()];
        return found is [var one] ? one : throw new BrokerRefusal(RefusalKind.UnknownTarget, $"one token is for one target; these are {string.Join(", ", found.Select(provider => provider.Target))}");
    }

    private static ScopeSet? Scopes(OAuthForm form)
    {
        try
        {
            return form.One("scope") is { } scope ? ScopeSet.Parse(scope) : null;
        }
        catch (ArgumentException)
        {
            throw new BrokerRefusal(RefusalKind.WiderScope, "the scope is not one by RFC 6749 §3.3");
        }
    }

    // RFC 6749 §5.2: visible ASCII and space, without the quote and the backslash.
    private static string Described(string message) => string.Create(message.Length, message, static (into, from) =>
    {
        for (int i = 0; i < into.Length; i++)
            into[i] = from[i] is '"' ? '\'' : from[i] is < ' ' or > '~' or '\\' ? '?' : from[i];
    });
}
