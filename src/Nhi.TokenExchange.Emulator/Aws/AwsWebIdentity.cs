using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Verifies a web identity: provider, signature, life, audience, then the role's trust policy.</summary>
internal sealed class AwsWebIdentity(EmulatedAws aws, ProofIssuers issuers, EmulatorOptions options)
{
    private const string TagsClaim = "https://aws.amazon.com/tags";

    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256"];

    public async Task<(AwsRole Role, ReceivedJwt Jwt)> VerifyAsync(string proof, string arn, string sessionName)
    {
        ReceivedJwt jwt;
        string issuer;
        try
        {
            jwt = ReceivedJwt.Parse(proof);
            string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
            JwtChecks.HeaderIsPlain(jwt);
            issuer = JwtChecks.IssuerNamed(jwt);
            if (!aws.OpenIdProviders.TryGetValue(issuer, out IList<string>? clientIds))
                throw new ProofRefused("issuer_unknown", $"No OpenIDConnect provider found in your account for {issuer}");
            if (jwt.HeaderText("kid") is not { } kid || issuers.Published(issuer, kid) is not { } key)
                throw new ProofRefused("key_unknown", "Could not validate the signature of the token");
            await JwtChecks.SignatureGoodAsync(jwt, key.Security, algorithm).ConfigureAwait(false);
            DateTimeOffset now = options.Time.GetUtcNow();
            JwtChecks.NotExpired(jwt, now, options.ClockLeeway);
            JwtChecks.AlreadyValid(jwt, now, options.ClockLeeway);
            if (!jwt.Audience().Any(clientIds.Contains))
                throw new ProofRefused("audience_mismatch", "Incorrect token audience");
        }
        catch (ProofRefused refused)
        {
            throw AwsXmlText.Refuse(refused.Reason == "expired" ? "ExpiredTokenException" : "InvalidIdentityToken", refused.Reason, refused.Message);
        }
        return (Trusting(jwt, issuer, arn, sessionName), jwt);
    }

    /// <summary>The session tags that a token carries, in both of their forms: "Pass session tags in AWS STS".</summary>
    public static IReadOnlyList<string> Tags(ReceivedJwt jwt)
    {
        var tags = new List<string>();
        if (jwt.Payload.TryGetProperty(TagsClaim, out JsonElement nested) && nested.ValueKind == JsonValueKind.Object && nested.TryGetProperty("principal_tags", out JsonElement principal) && principal.ValueKind == JsonValueKind.Object)
            tags.AddRange(principal.EnumerateObject().Select(tag => $"{tag.Name}={tag.Value}"));
        tags.AddRange(jwt.Payload.EnumerateObject().Where(claim => claim.Name.StartsWith($"{TagsClaim}/principal_tags/", StringComparison.Ordinal)).Select(claim => $"{claim.Name[$"{TagsClaim}/principal_tags/".Length..]}={claim.Value}"));
        return tags;
    }

    // The real one says the same of a role that is not there and of one that does not trust.
    private AwsRole Trusting(ReceivedJwt jwt, string issuer, string arn, string sessionName)
    {
        if (aws.FindRole(arn) is not { } role)
            throw Denied("role_unknown");
        if ((role.Issuer ?? issuers.Default) != issuer)
            throw Denied("issuer_mismatch");
        foreach ((string claim, string expected) in role.Conditions)
        {
            bool holds = claim == "aud" ? jwt.Audience().Contains(expected) : jwt.ClaimText(claim) == expected;
            if (!holds)
                throw Denied(claim switch { "sub" => "subject_mismatch", "aud" => "audience_mismatch", _ => "claim_mismatch" });
        }
        if (role.SessionName is { } name && name != sessionName)
            throw Denied("session_name_mismatch");
        if (Tags(jwt).Count > 0 && !role.AllowsTagging)
            throw Denied("tagging", "sts:TagSession");
        return role;
    }

    private static OAuthRefusal Denied(string reason, string action = "sts:AssumeRoleWithWebIdentity") => AwsXmlText.Refuse("AccessDenied", reason, $"Not authorized to perform {action}", 403);
}
