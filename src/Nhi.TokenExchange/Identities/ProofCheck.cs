using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Looks at a proof once, before it is sent: refused if expired, not yet valid, for another audience, malformed, a person's, or not known to be a workload's.</summary>
internal static class ProofCheck
{
    /// <summary>A proof with less than this left is not presented: it could be dead when its issuer looks.</summary>
    public static readonly TimeSpan ExpiryLeeway = TimeSpan.FromSeconds(30);

    /// <summary>How far the clock of whoever made the proof may be ahead of ours (<c>nbf</c>, <c>iat</c>).</summary>
    public static readonly TimeSpan ClockLeeway = TimeSpan.FromSeconds(60);

    // A day is the longest that platforms give (Entra's managed identities, EKS); ten minutes for nbf set back. What lives longer is a static secret by another name.
    private static readonly TimeSpan MaxLife = TimeSpan.FromHours(24) + TimeSpan.FromMinutes(10);

    private const string RefreshTokenUrn = "urn:ietf:params:oauth:token-type:refresh_token";

    private const string FromAPersonsSource = "it comes from a source that is, or may fall back to, a person's";

    private const string InDevelopmentAlone =
        "Give the job an identity of its own: a managed identity, a service account, a federated CI identity. On a developer's own machine ActsFor.PersonInDevelopment lets it through, and the audit says so.";

    private const string SamlUrnPrefix = "urn:ietf:params:oauth:token-type:saml";

    /// <summary>Checks a proof.</summary>
    /// <param name="token">As it came from its source.</param>
    /// <param name="audience">For whom it was asked.</param>
    /// <param name="actsFor">Whether the configuration vouches that it is a workload's.</param>
    /// <param name="now">The wall clock.</param>
    /// <exception cref="IdentityUnavailableException">It is not fit to be sent.</exception>
    public static AttestedProof Check(SubjectToken token, Audience audience, ActsFor actsFor, DateTimeOffset now)
    {
        if (token.Type == default || token.Type.ToString() == RefreshTokenUrn)
        {
            throw Refuse(ErrorCodes.ProofMalformed, $"The source gave a proof of type '{ExceptionText.Clean(token.Type.ToString())}', which proves nobody.",
                "Let the source give a JWT, an ID token or an access token.");
        }
        bool mustBeJwt = token.Type == SubjectTokenType.Jwt || token.Type == SubjectTokenType.IdToken;
        // An access token is opaque to its client (RFC 6749 §1.4): one that is encrypted (RFC 7516: five parts) can't be looked into.
        if (!mustBeJwt && (token.Reveal().AsSpan().Count('.') == 4 || !JwtReader.LooksLikeJwt(token.Reveal())))
            return CheckOpaque(token, audience, actsFor, now);
        if (token.Type.ToString().StartsWith(SamlUrnPrefix, StringComparison.Ordinal))
            throw Refuse(ErrorCodes.ProofMalformed, "The source calls the proof a SAML assertion, but it is a JWT.", "Name it for what it is.");
        return CheckJwt(token, audience, actsFor, now);
    }

    private static AttestedProof CheckJwt(SubjectToken token, Audience audience, ActsFor actsFor, DateTimeOffset now)
    {
        Jwt jwt = Read(token);
        var who = new ProofName(jwt, token.Place);
        RequireWorkloadClaims(token, jwt, who);
        DateTimeOffset end = jwt.ExpiresAt ?? throw Refuse(ErrorCodes.ProofMalformed, $"The proof ({who}) has no 'exp'.", "A proof must end. Legacy Kubernetes secrets of type service-account-token don't: project a token instead.");
        if (token.ExpiresAt < end)
            end = token.ExpiresAt.Value;
        RequireTimes(jwt, end, who, now);
        if (token.AskedFor is { } askedFor)
            RequireAskedFor(askedFor, audience, who);
        else
            RequireAudience(jwt, audience, who);
        string? mark = WorkloadRecognition.PersonMarkOf(jwt) ?? (token.IsAPersons ? FromAPersonsSource : null);
        if (mark is not null && actsFor != ActsFor.PersonInDevelopment)
        {
            throw Refuse(ErrorCodes.ProofOfAPerson, $"The proof ({who}) is a person's: {mark}. Jobs act for themselves; a person's proof is refused.",
                InDevelopmentAlone);
        }
        bool isAPersons = mark is not null;
        string? platform = isAPersons ? null : WorkloadRecognition.PlatformOf(jwt);
        bool proven = !isAPersons && (token.IsPlatformAttested || platform is not null);
        if (!proven && !isAPersons && actsFor != ActsFor.Workload)
        {
            throw Refuse(ErrorCodes.ProofNotKnownToBeAWorkloads, $"The proof ({who}) does not show that it is a workload's.",
                "If you know that it is, declare the identity with ActsFor.Workload (in settings: \"ActsFor\": \"Workload\"); the audit will say that it was asserted, not proven.");
        }
        return new AttestedProof { Token = token, Issuer = IssuerOf(jwt), Subject = jwt.Subject, Claims = jwt.Claims, Platform = platform, ExpiresAt = end, WorkloadIsAsserted = !proven && !isAPersons, IsAPersons = isAPersons };
    }

    private static AttestedProof CheckOpaque(SubjectToken token, Audience audience, ActsFor actsFor, DateTimeOffset now)
    {
        if (token.AskedFor is { } askedFor)
            RequireAskedFor(askedFor, audience, ProofName.Opaque);
        if (token.IsAPersons && actsFor != ActsFor.PersonInDevelopment)
            throw Refuse(ErrorCodes.ProofOfAPerson, $"The proof is a person's: {FromAPersonsSource}.", InDevelopmentAlone);
        if (actsFor != ActsFor.Workload && !token.IsPlatformAttested && !token.IsAPersons)
        {
            throw Refuse(ErrorCodes.ProofNotKnownToBeAWorkloads, $"The proof is opaque ({ExceptionText.Clean(token.Type.ToString())}): it does not show that it is a workload's.",
                "If you know that it is, declare the identity with ActsFor.Workload (in settings: \"ActsFor\": \"Workload\"); the audit will say that it was asserted, not proven.");
        }
        if (token.ExpiresAt is { } end)
            RequireNotExpired(end, ProofName.Opaque, now);
        return new AttestedProof { Token = token, Issuer = "", Subject = "", Claims = new Dictionary<string, string>(), ExpiresAt = token.ExpiresAt, WorkloadIsAsserted = !token.IsPlatformAttested && !token.IsAPersons, IsAPersons = token.IsAPersons };
    }

    private static Jwt Read(SubjectToken token)
    {
        try
        {
            return JwtReader.Read(token.Reveal());
        }
        catch (FormatException malformed)
        {
            // The cause is not kept: its text is all in the message, and nobody has to ask what else it might hold.
            throw Refuse(ErrorCodes.ProofMalformed, $"The proof of type {ExceptionText.Clean(token.Type.ToString())} is not a JWT that can be sent: {malformed.Message}.", "Look at what the source reads.");
        }
    }

    private static void RequireWorkloadClaims(SubjectToken token, Jwt jwt, ProofName who)
    {
        // JWT-SVIDs need no iss: their trust domain is in the subject (SPIFFE JWT-SVID §3).
        if (jwt.Subject.Length == 0 || (jwt.Issuer.Length == 0 && !WorkloadRecognition.IsSpiffeId(jwt.Subject)))
            throw Refuse(ErrorCodes.ProofMalformed, $"The proof ({who}) has no '{(jwt.Subject.Length == 0 ? "sub" : "iss")}'.", "Check that the source gives an identity token.");
        if (token.Type == SubjectTokenType.IdToken && jwt.Type?.EndsWith("at+jwt", StringComparison.OrdinalIgnoreCase) == true)
            throw Refuse(ErrorCodes.ProofMalformed, $"The source calls the proof ({who}) an ID token, but its typ is {ExceptionText.Clean(jwt.Type)}: an access token.", "Name it for what it is, or get an ID token.");
        if (jwt["typ"] is "Refresh" or "Offline" or "Logout")   // Keycloak says the kind in the payload
            throw Refuse(ErrorCodes.ProofMalformed, $"The proof ({who}) is a token of kind '{jwt["typ"]}', which proves nobody.", "Let the source give an ID token or an access token.");
    }

    private static void RequireTimes(Jwt jwt, DateTimeOffset end, ProofName who, DateTimeOffset now)
    {
        RequireNotExpired(end, who, now);
        DateTimeOffset begin = jwt.NotBefore > jwt.IssuedAt || jwt.IssuedAt is null ? jwt.NotBefore ?? now : jwt.IssuedAt.Value;
        if (begin - now > ClockLeeway)
        {
            throw Refuse(ErrorCodes.ProofNotYetValid, string.Create(CultureInfo.InvariantCulture, $"The proof ({who}) is good from {begin:O}; it is {now:O}, {(begin - now).TotalSeconds:0} s too early (leeway {ClockLeeway.TotalSeconds:0} s)."),
                "Check this machine's clock.", isTransient: true);
        }
        DateTimeOffset made = jwt.IssuedAt ?? now;
        if (end - made > MaxLife)
        {
            throw Refuse(ErrorCodes.ProofLivesTooLong, string.Create(CultureInfo.InvariantCulture, $"The proof ({who}) lives {(end - made).TotalSeconds:0} s; at most {MaxLife.TotalSeconds:0} s are taken: what lives longer is a static secret."),
                "Ask its platform for a shorter life; in Kubernetes, expirationSeconds of the projected token.");
        }
    }

    private static void RequireNotExpired(DateTimeOffset end, ProofName who, DateTimeOffset now)
    {
        if (end - now < ExpiryLeeway)
        {
            throw Refuse(ErrorCodes.ProofExpired, string.Create(CultureInfo.InvariantCulture, $"The proof ({who}) ends at {end:O}; it is {now:O}. With less than {ExpiryLeeway.TotalSeconds:0} s left it is not presented."),
                "Check that its platform renews it, and this machine's clock.", isTransient: true);
        }
    }

    private static void RequireAskedFor(Audience askedFor, Audience audience, ProofName who)
    {
        if (askedFor != audience)
        {
            throw Refuse(ErrorCodes.ProofForAnotherAudience, $"The proof ({who}) was asked for audience '{ExceptionText.Clean(askedFor.ToString())}'; expected '{ExceptionText.Clean(audience.ToString())}'{FirstDifference(audience.ToString(), askedFor.ToString())}.",
                "Let the source ask for the audience that it is given.");
        }
    }

    private static void RequireAudience(Jwt jwt, Audience audience, ProofName who)
    {
        string expected = audience.ToString();
        if (expected.Length == 0)
            throw Refuse(ErrorCodes.ProofForAnotherAudience, $"The exchanger names no audience, so the proof ({who}) can't be for it.", "Let the exchanger say its SubjectAudience.");
        if (jwt.Audiences.Count == 0)
            throw Refuse(ErrorCodes.ProofForAnotherAudience, $"The proof ({who}) has no 'aud'; expected '{ExceptionText.Clean(expected)}'.", Remedy());
        if (jwt.Audiences.Count > 1)
        {
            // Whoever of them gets it could send it on to the others.
            throw Refuse(ErrorCodes.ProofForAnotherAudience, $"The proof ({who}) is for {jwt.Audiences.Count} audiences ({ExceptionText.Clean(string.Join(", ", jwt.Audiences), 200)}); expected '{ExceptionText.Clean(expected)}' alone.", Remedy());
        }
        if (!string.Equals(jwt.Audiences[0], expected, StringComparison.Ordinal))
            throw Refuse(ErrorCodes.ProofForAnotherAudience, $"The proof ({who}) is for audience '{ExceptionText.Clean(jwt.Audiences[0])}'; expected '{ExceptionText.Clean(expected)}'{FirstDifference(expected, jwt.Audiences[0])}.", Remedy());

        string Remedy() => $"Make the source ask for audience '{ExceptionText.Clean(expected)}': the audience of the projected volume in Kubernetes, 'aud' of id_tokens in GitLab; a default token is for its own platform only.";
    }

    // Two texts that look alike: a slash, a case, a scheme. Where they don't, the texts speak for themselves.
    private static string FirstDifference(string expected, string presented)
    {
        int same = expected.AsSpan().CommonPrefixLength(presented);
        bool alike = string.Equals(expected, presented, StringComparison.OrdinalIgnoreCase) || (same > 0 && 2 * same >= Math.Min(expected.Length, presented.Length));
        return alike ? $" (they first differ at character {same + 1}: {At(presented)} where {At(expected)} was expected)" : "";

        string At(string text) => same < text.Length ? $"'{ExceptionText.Clean(text[same].ToString())}'" : "the end";
    }

    private static string IssuerOf(Jwt jwt) => jwt.Issuer.Length > 0 ? jwt.Issuer : $"spiffe://{new Uri(jwt.Subject).Host}";

    private static IdentityUnavailableException Refuse(string code, string message, string hint, bool isTransient = false) => new(code, message) { Hint = hint, IsTransient = isTransient };

    // A text only where something is wrong.
    private readonly record struct ProofName(Jwt? Jwt, string? Place)
    {
        public static ProofName Opaque => default;

        public override string ToString() =>
            Jwt is null ? "opaque" : $"issuer '{ExceptionText.Clean(Jwt.Issuer)}', subject '{ExceptionText.Clean(Jwt.Subject, 200)}'{(Place is null ? "" : $", of {Place}")}";
    }
}
