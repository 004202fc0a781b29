using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>The Security Token Service: a foreign proof becomes a federated token, a token of Google's a downscoped one.</summary>
internal sealed class GoogleStsDesk(EmulatedGoogle google, GoogleTokens tokens, ProofIssuers issuers, EmulatorOptions options)
{
    private const int LongestSubject = 127;
    private const int MostRules = 10;
    private const string Buckets = "//storage.googleapis.com/projects/_/buckets/";

    private static readonly string[] Algorithms = ["RS256", "ES256"];
    private static readonly TimeSpan Life = TimeSpan.FromHours(1);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request)
    {
        RequestForm form = request.Form;
        // "Authorization" may be of another service: the real one refuses some of it.
        if (request.Authorization.Length > 0)
            throw OAuthRefusal.InvalidRequest("authorization_header", "An Authorization header must not be set.");
        if (form.Need("grant_type") != TokenTypes.ExchangeGrant)
            throw new OAuthRefusal("unsupported_grant_type", "grant_unknown", "Invalid grant type");
        if (form.Need("requested_token_type") != TokenTypes.AccessToken)
            throw OAuthRefusal.InvalidRequest("requested_type", "Unsupported requested_token_type");
        return form.Need("subject_token_type") switch
        {
            TokenTypes.AccessToken => Downscope(request),
            TokenTypes.Jwt or TokenTypes.IdToken => await FederateAsync(request).ConfigureAwait(false),
            _ => throw OAuthRefusal.InvalidRequest("subject_type", "Unsupported subject_token_type"),
        };
    }

    private async Task<EmulatorAnswer> FederateAsync(EmulatorRequest request)
    {
        string audience = request.Form.Need("audience"), scope = request.Form.Need("scope"), proof = request.Form.Need("subject_token");
        if (!audience.StartsWith($"{EmulatedGoogle.Service}projects/", StringComparison.Ordinal) || !audience.Split('/')[4].All(char.IsAsciiDigit))
            throw OAuthRefusal.InvalidRequest("audience_malformed", "Invalid value for \"audience\". This value should be the full resource name of the Identity Provider.");
        if (google.FindProvider(audience) is not { IsDisabled: false } provider)
            throw new OAuthRefusal("invalid_target", "provider_unknown", "The target service indicated by the \"audience\" parameters is invalid.");
        ReceivedJwt jwt;
        try
        {
            jwt = await VerifyAsync(proof, provider).ConfigureAwait(false);
        }
        catch (ProofRefused refused)
        {
            throw refused.As("invalid_grant");
        }
        foreach ((string claim, string expected) in provider.Conditions)
        {
            if (jwt.ClaimText(claim) != expected)
                throw new OAuthRefusal("unauthorized_client", "attribute_condition", "The given credential is rejected by the attribute condition.");
        }
        string subject = jwt.ClaimText("sub")!;
        var token = new GoogleToken(subject, $"principal:{EmulatedGoogle.Service}{provider.Pool}/subject/{subject}", scope, options.Time.GetUtcNow() + Life, Boundary: null);
        return Answer(tokens.Add(token, request.RequestId, audience, []), Life);
    }

    private async Task<ReceivedJwt> VerifyAsync(string proof, PoolProvider provider)
    {
        ReceivedJwt jwt = ReceivedJwt.Parse(proof);
        string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
        JwtChecks.HeaderIsPlain(jwt);
        string issuer = JwtChecks.IssuerNamed(jwt);
        if (issuer != (provider.Issuer ?? issuers.Default))
            throw new ProofRefused("issuer_mismatch", $"The issuer in ID Token {issuer} does not match the expected ones: {provider.Issuer ?? issuers.Default}");
        if (jwt.HeaderText("kid") is not { } kid || issuers.Published(issuer, kid) is not { } key)
            throw new ProofRefused("key_unknown", "Error connecting to the given credential's issuer.");
        await JwtChecks.SignatureGoodAsync(jwt, key.Security, algorithm).ConfigureAwait(false);
        DateTimeOffset now = options.Time.GetUtcNow();
        JwtChecks.NotExpired(jwt, now, options.ClockLeeway);
        JwtChecks.AlreadyValid(jwt, now, options.ClockLeeway);
        JwtChecks.AudienceMatches(jwt, provider.AllowedAudiences.Count > 0 ? [.. provider.AllowedAudiences] : [$"https:{EmulatedGoogle.Service}{provider.Name}", EmulatedGoogle.Service + provider.Name]);
        if (JwtChecks.SubjectPresent(jwt, "sub").Length > LongestSubject)
            throw new ProofRefused("subject_too_long", $"The size of mapped attribute google.subject exceeds the {LongestSubject} bytes limit.");
        return jwt;
    }

    // Nobody gains by it: not a scope, not a second of life.
    private EmulatorAnswer Downscope(EmulatorRequest request)
    {
        if (request.Form.One("audience") is not null || request.Form.One("scope") is not null)
            throw OAuthRefusal.InvalidRequest("not_for_downscoping", "audience and scope are not for downscoping");
        if (tokens.Find(request.Form.Need("subject_token")) is not { } source)
            throw new OAuthRefusal("invalid_grant", "token_unknown", "Invalid subject token");
        // The clients encode it once before the form is.
        string text = Uri.UnescapeDataString(request.Form.Need("options"));
        string[] resources = Rules(text);
        TimeSpan left = source.EndsAt - options.Time.GetUtcNow();
        return Answer(tokens.Add(source with { Boundary = text }, request.RequestId, source.Principal, resources), left);
    }

    private static string[] Rules(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement rules = document.RootElement.GetProperty("accessBoundary").GetProperty("accessBoundaryRules");
            string[] resources = [.. rules.EnumerateArray().Select(rule => rule.GetProperty("availableResource").GetString()!)];
            bool isGood = resources.Length is > 0 and <= MostRules && resources.All(resource => resource.StartsWith(Buckets, StringComparison.Ordinal))
                && rules.EnumerateArray().All(rule => rule.GetProperty("availablePermissions") is { ValueKind: JsonValueKind.Array } permissions && permissions.GetArrayLength() > 0 && permissions.EnumerateArray().All(one => one.GetString()!.StartsWith("inRole:", StringComparison.Ordinal)));
            return isGood ? resources : throw Malformed();
        }
        catch (Exception malformed) when (malformed is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw Malformed();
        }
    }

    private static OAuthRefusal Malformed() => OAuthRefusal.InvalidRequest("boundary_malformed", "Invalid access boundary");

    private static EmulatorAnswer Answer(string token, TimeSpan life) => EmulatorAnswer.Of(new JsonObject
    {
        ["access_token"] = token, ["issued_token_type"] = TokenTypes.AccessToken, ["token_type"] = "Bearer", ["expires_in"] = (long)life.TotalSeconds,
    }).NotStored();
}
