namespace Nhi.TokenExchange;

/// <summary>What a proof says after all checks passed.</summary>
/// <param name="Issuer">Who vouches.</param>
/// <param name="Subject">For whom.</param>
/// <param name="Policy">The policy that accepted it.</param>
/// <param name="Jwt">The claims.</param>
internal sealed record VerifiedProof(string Issuer, string Subject, FederationPolicy Policy, ReceivedJwt Jwt);
