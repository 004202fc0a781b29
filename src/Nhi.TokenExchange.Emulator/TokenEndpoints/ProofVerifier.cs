using Microsoft.IdentityModel.Tokens;

namespace Nhi.TokenExchange;

/// <summary>Verifies proofs against federation policies: the straight way through <see cref="JwtChecks"/>.</summary>
internal sealed class ProofVerifier(ProofIssuers issuers, TimeProvider time, TimeSpan leeway, IReadOnlyCollection<string> algorithms)
{
    private readonly ReplayMemory _replays = new(time, leeway);

    public async Task<VerifiedProof> VerifyAsync(string token, IReadOnlyCollection<FederationPolicy> policies, IReadOnlyCollection<string> defaultAudiences, bool once)
    {
        ReceivedJwt jwt = ReceivedJwt.Parse(token);
        string algorithm = JwtChecks.AlgorithmAllowed(jwt, algorithms);
        JwtChecks.HeaderIsPlain(jwt);
        JwtChecks.TypeExpected(jwt, "JWT");
        string issuer = JwtChecks.IssuerNamed(jwt);
        FederationPolicy[] ofIssuer = [.. policies.Where(policy => IssuerOf(policy) == issuer)];
        if (ofIssuer.Length == 0)
            throw new ProofRefused("issuer_unknown", $"no federation policy trusts the issuer {issuer}");
        (FederationPolicy policy, string subject, DateTimeOffset ends) = await MatchAsync(jwt, ofIssuer, algorithm, defaultAudiences).ConfigureAwait(false);
        if (once)
            JwtChecks.UsedOnce(jwt, issuer, ends, _replays, required: false);
        return new VerifiedProof(issuer, subject, policy, jwt);
    }

    // All of a policy or none of it: the key that one policy trusts says nothing about the subject of another.
    private async Task<(FederationPolicy Policy, string Subject, DateTimeOffset Ends)> MatchAsync(ReceivedJwt jwt, FederationPolicy[] policies, string algorithm, IReadOnlyCollection<string> defaultAudiences)
    {
        ProofRefused? nearest = null;
        int furthest = -1;
        foreach (FederationPolicy policy in policies)
        {
            int passed = 0;
            try
            {
                await JwtChecks.SignatureGoodAsync(jwt, KeyOf(jwt, policy, algorithm), algorithm).ConfigureAwait(false);
                passed++;
                DateTimeOffset now = time.GetUtcNow();
                DateTimeOffset ends = JwtChecks.NotExpired(jwt, now, leeway);
                JwtChecks.AlreadyValid(jwt, now, leeway);
                passed++;
                JwtChecks.AudienceMatches(jwt, policy.Audiences.Count > 0 ? policy.Audiences : defaultAudiences);
                passed++;
                string subject = JwtChecks.SubjectPresent(jwt, policy.SubjectClaim);
                passed++;
                if (policy.Subject is null || policy.Subject == subject)
                    return (policy, subject, ends);
                throw new ProofRefused("subject_mismatch", $"no federation policy accepts the subject {subject} (claim {policy.SubjectClaim})");
            }
            catch (ProofRefused refused)
            {
                // Told is the refusal of the policy that came furthest.
                if (passed > furthest)
                    (nearest, furthest) = (refused, passed);
            }
        }

        throw nearest!;
    }

    private string IssuerOf(FederationPolicy policy) => policy.Issuer ?? issuers.Default;

    // RFC 7515 §4.1.4, RFC 7517 §4.4, §4.5: the key is found by its id among the issuer's published ones, and is for one algorithm.
    private SecurityKey KeyOf(ReceivedJwt jwt, FederationPolicy policy, string algorithm)
    {
        string id = jwt.HeaderText("kid") ?? throw new ProofRefused("key_unknown", "the header kid is missing");
        SecurityKey? key = null;
        string? keyAlgorithm = null;
        if (policy.JwksJson is { } json)
        {
            JsonWebKey? found = new JsonWebKeySet(json).Keys.FirstOrDefault(one => one.KeyId == id);
            (key, keyAlgorithm) = (found, found?.Alg);
        }
        else if (issuers.Published(IssuerOf(policy), id) is { } own)
        {
            (key, keyAlgorithm) = (own.Security, own.Algorithm);
        }

        if (key is null)
            throw new ProofRefused("key_unknown", "the issuer publishes no key with the id that the header names");
        return string.IsNullOrEmpty(keyAlgorithm) || keyAlgorithm == algorithm ? key : throw new ProofRefused("key_for_other_algorithm", $"the key is for {keyAlgorithm}, the token says {algorithm}");
    }
}
