namespace Nhi.TokenExchange;

/// <summary>Logins of the emulated Vault: verifies the proof by the keys of the emulator's issuers, compares it with the role, makes a token.</summary>
internal sealed class VaultLogins(EmulatedVault vault, VaultBooks books, ProofIssuers issuers, EmulatorOptions options)
{
    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256"];

    // clock_skew_leeway
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(60);

    public async Task<EmulatorAnswer> AnswerAsync(EmulatorRequest request, string ns, string path, VaultBody body)
    {
        string mount = path["auth/".Length..^"/login".Length];
        if (!vault.HasMount(ns, mount))
            throw new VaultDenied(404, "mount_unknown", "no handler for route");
        if (request.Http.Request.Method is not ("POST" or "PUT"))
            throw new VaultDenied(405, "method", "unsupported operation");
        string name = body.Text("role") ?? throw new VaultDenied(400, "role_missing", "missing role");
        VaultRole role = vault.FindRole(ns, mount, name) ?? throw new VaultDenied(400, "role_unknown", $"role \"{name}\" could not be found");
        string subject;
        try
        {
            subject = await VerifyAsync(body.Need("jwt"), role).ConfigureAwait(false);
        }
        catch (ProofRefused refused)
        {
            // The Kubernetes auth method asks the cluster, and says no more than that it was denied.
            throw mount == "kubernetes" ? new VaultDenied(403, refused.Reason, "permission denied") : new VaultDenied(400, refused.Reason, $"error validating token: {refused.Message}");
        }
        VaultToken token = books.AddToken(
            ns, role.Name, subject, path, [.. role.BoundAudiences], role.TokenTtl, () => role.TokenMaxTtl, role.GivesBatchTokens, role.TokenNumUses, [.. role.Paths], role.HasDefaultPolicy, parent: null, request.RequestId);
        return EmulatorAnswer.Of(VaultEnvelope.OfAuth(request.RequestId, token, token.IssuedAt));
    }

    private async Task<string> VerifyAsync(string proof, VaultRole role)
    {
        ReceivedJwt jwt = ReceivedJwt.Parse(proof);
        string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
        JwtChecks.HeaderIsPlain(jwt);
        string issuer = JwtChecks.IssuerNamed(jwt);
        if (jwt.HeaderText("kid") is not { } kid || issuers.Published(issuer, kid) is not { } key)
            throw new ProofRefused("key_unknown", "no known key successfully validated the token signature");
        await JwtChecks.SignatureGoodAsync(jwt, key.Security, algorithm).ConfigureAwait(false);
        DateTimeOffset now = options.Time.GetUtcNow();
        JwtChecks.NotExpired(jwt, now, Leeway);
        JwtChecks.AlreadyValid(jwt, now, Leeway);
        if (role.BoundAudiences.Count == 0)
            throw new ProofRefused("audience_unbound", "audience claim found in JWT but no audiences bound to the role");
        JwtChecks.AudienceMatches(jwt, [.. role.BoundAudiences]);
        string subject = JwtChecks.SubjectPresent(jwt, "sub");
        if (subject != role.BoundSubject)
            throw new ProofRefused("subject_mismatch", "sub claim does not match bound subject");
        foreach ((string claim, string expected) in role.BoundClaims)
        {
            if (jwt.ClaimText(claim) != expected)
                throw new ProofRefused("claim_mismatch", $"claim \"{claim}\" does not match any associated bound claim values");
        }
        return subject;
    }
}
