namespace Nhi.TokenExchange;

/// <summary>Looks at an Entra token as an API does: at the moment of use.</summary>
internal static class EntraBearer
{
    private static readonly string[] Algorithms = ["RS256", "PS256", "ES256"];

    /// <summary>What an API of these audiences says of a token.</summary>
    /// <returns>The verdict; and the token, where it was accepted.</returns>
    public static async Task<(UseVerdict Verdict, ReceivedJwt? Token)> JudgeAsync(EntraDirectory directory, Ledger ledger, string token, IReadOnlyList<string> audiences)
    {
        string check = "";
        ReceivedJwt jwt;
        try
        {
            jwt = ReceivedJwt.Parse(token);
            string algorithm = JwtChecks.AlgorithmAllowed(jwt, Algorithms);
            JwtChecks.HeaderIsPlain(jwt);
            if (directory.TenantOfIssuer(JwtChecks.IssuerNamed(jwt)) is null || directory.Keys.Published(jwt.HeaderText("kid") ?? "") is not { } key || key.Algorithm != algorithm)
                return (UseVerdict.Unknown, null);
            await JwtChecks.SignatureGoodAsync(jwt, key.Security, algorithm).ConfigureAwait(false);
            check = "aud";
            JwtChecks.AudienceMatches(jwt, [.. audiences]);
            check = "exp";
            JwtChecks.NotExpired(jwt, directory.Time.GetUtcNow(), TimeSpan.Zero);
        }
        catch (ProofRefused)
        {
            return (check switch { "aud" => UseVerdict.OtherAudience, "exp" => UseVerdict.Expired, _ => UseVerdict.Unknown }, null);
        }
        return ledger.Find(Ledger.FingerprintOf(token))?.RevokedAt is not null ? (UseVerdict.Revoked, null) : (UseVerdict.Accepted, jwt);
    }
}
