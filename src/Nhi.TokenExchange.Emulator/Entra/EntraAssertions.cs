using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>Verifies an application's assertion against its federated identity credentials. Each refusal has its AADSTS number.</summary>
internal sealed class EntraAssertions(EntraDirectory directory, ProofIssuers issuers, Func<string, ManagedIdentity?> identities, TimeSpan leeway)
{
    // RS256 is the supported one; others "may work" (same page), and do here.
    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256"];

    private const string Advice = "Check your federated identity credential Subject, Audience and Issuer against the presented assertion.";

    public async Task VerifyAsync(string assertion, EntraApplication application)
    {
        ReceivedJwt jwt = Parsed(assertion);
        string issuer = jwt.ClaimText("iss") ?? "";
        // A certificate's assertion names the application itself; no application here has a certificate.
        if (issuer == application.ClientId)
            throw EntraErrors.Refuse(700027, "The certificate with identifier used to sign the client assertion is not registered on application.");
        (FederatedIdentityCredential[] known, FederatedIdentityCredential[] coming) = application.CredentialsAt(directory.Time.GetUtcNow());
        FederatedIdentityCredential[] ofIssuer = [.. known.Where(one => one.Issuer == issuer)];
        if (known.Length == 0 || coming.Any(one => one.Issuer == issuer && one.Subject == jwt.ClaimText("sub")))
            throw None(jwt, issuer);
        if (ofIssuer.Length == 0)
            throw EntraErrors.Refuse(700211, $"No matching federated identity record found for presented assertion issuer '{issuer}'. {Advice}");
        FederatedIdentityCredential credential = Match(jwt, ofIssuer, out OAuthRefusal? mismatch);
        await SignedAsync(jwt, credential).ConfigureAwait(false);
        InTime(jwt);
        if (directory.TenantOfIssuer(issuer) is { } tenant)
            FromEntra(jwt, tenant, application);
        if (mismatch is not null)
            throw mismatch;
    }

    private static ReceivedJwt Parsed(string assertion)
    {
        try
        {
            ReceivedJwt jwt = ReceivedJwt.Parse(assertion);
            JwtChecks.HeaderIsPlain(jwt);
            JwtChecks.TypeExpected(jwt, "JWT");
            return jwt;
        }
        catch (ProofRefused refused)
        {
            throw EntraErrors.Refuse(50027, $"JWT token is invalid or malformed: {refused.Message}.");
        }
    }

    private static OAuthRefusal None(ReceivedJwt jwt, string issuer) => EntraErrors.Refuse(70021,
        $"No matching federated identity record found for presented assertion. Assertion Issuer: '{issuer}'. Assertion Subject: '{jwt.ClaimText("sub")}'. Assertion Audience: '{string.Join(' ', jwt.Audience())}'.");

    // The mismatch is told only after the signature was found good: who can't sign learns nothing about subjects.
    private FederatedIdentityCredential Match(ReceivedJwt jwt, FederatedIdentityCredential[] ofIssuer, out OAuthRefusal? mismatch)
    {
        string subject = jwt.ClaimText("sub") ?? "";
        mismatch = null;
        if (ofIssuer.FirstOrDefault(one => one.Subject == subject) is not { } credential)
        {
            credential = ofIssuer.FirstOrDefault(one => string.Equals(one.Subject, subject, StringComparison.OrdinalIgnoreCase)) ?? ofIssuer[0];
            bool caseAlone = string.Equals(credential.Subject, subject, StringComparison.OrdinalIgnoreCase);
            mismatch = EntraErrors.Refuse(caseAlone ? 7002138 : 700213, caseAlone
                ? $"No matching federated identity record found for presented assertion subject '{subject}'. The subject matches case-insensitively, but not case-sensitively. {Advice}"
                : $"No matching federated identity record found for presented assertion subject '{subject}'. {Advice}");
        }
        else if (!AudienceFits(jwt, credential))
        {
            mismatch = EntraErrors.Refuse(700212, $"No matching federated identity record found for presented assertion audience '{string.Join(' ', jwt.Audience())}'. {Advice}");
        }

        return credential;
    }

    // Entra's own tokens for the exchange audience carry its application id; the credential names its URI, and no other (page: "Configure an application to trust a managed identity").
    private bool AudienceFits(ReceivedJwt jwt, FederatedIdentityCredential credential)
    {
        string wanted = credential.Audience ?? directory.ExchangeAudience;
        IReadOnlyList<string> audience = jwt.Audience();
        return directory.TenantOfIssuer(credential.Issuer) is null
            ? audience.Contains(wanted, StringComparer.Ordinal)
            : wanted == directory.ExchangeAudience && audience is [EntraClouds.ExchangeApplication];
    }

    private async Task SignedAsync(ReceivedJwt jwt, FederatedIdentityCredential credential)
    {
        try
        {
            string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
            await JwtChecks.SignatureGoodAsync(jwt, KeyOf(jwt, credential, algorithm), algorithm).ConfigureAwait(false);
        }
        catch (ProofRefused refused)
        {
            throw EntraErrors.Refuse(700027, $"The certificate with identifier used to sign the client assertion is not registered on application, or the signature is invalid: {refused.Message}.");
        }
    }

    private SecurityKey KeyOf(ReceivedJwt jwt, FederatedIdentityCredential credential, string algorithm)
    {
        string id = jwt.HeaderText("kid") ?? throw new ProofRefused("key_unknown", "the header kid is missing");
        (SecurityKey? key, string? of) = (null, null);
        if (credential.JwksJson is { } json && new JsonWebKeySet(json).Keys.FirstOrDefault(one => one.KeyId == id) is { } given)
            (key, of) = (given, given.Alg);
        else if (credential.JwksJson is null && issuers.Published(credential.Issuer, id) is { } own)
            (key, of) = (own.Security, own.Algorithm);
        if (key is null)
            throw new ProofRefused("key_unknown", "the issuer publishes no key with the id that the header names");
        return string.IsNullOrEmpty(of) || of == algorithm ? key : throw new ProofRefused("key_for_other_algorithm", $"the key is for {of}, the token says {algorithm}");
    }

    private void InTime(ReceivedJwt jwt)
    {
        DateTimeOffset now = directory.Time.GetUtcNow();
        try
        {
            JwtChecks.NotExpired(jwt, now, leeway);
            JwtChecks.AlreadyValid(jwt, now, leeway);
        }
        catch (ProofRefused refused) when (refused.Reason is "expired" or "not_yet_valid" or "issued_in_future")
        {
            DateTimeOffset? from = jwt.Instant("nbf") ?? jwt.Instant("iat");
            throw EntraErrors.Refuse(700024, $"Client assertion is not within its valid time range. Current time: {now.UtcDateTime:O}, assertion valid from {from?.UtcDateTime:O}, expiry time of assertion {jwt.Instant("exp")?.UtcDateTime:O}.");
        }
        catch (ProofRefused refused)
        {
            throw EntraErrors.Refuse(50027, $"JWT token is invalid or malformed: {refused.Message}.");
        }
    }

    private void FromEntra(ReceivedJwt jwt, string tenant, EntraApplication application)
    {
        if (jwt.ClaimText("idtyp") != "app")
            throw EntraErrors.Refuse(700229, "The presented token is not an app-only token. Only app-only tokens can be used as Federated Identity Credentials for Microsoft Entra issuer.");
        // Same page: user-assigned identities only; registration and identity in one tenant.
        if (tenant != application.TenantId || identities(jwt.ClaimText("oid") ?? "") is { IsSystemAssigned: true })
            throw None(jwt, jwt.ClaimText("iss") ?? "");
    }
}
