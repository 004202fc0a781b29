namespace Nhi.TokenExchange;

/// <summary>An assertion that the job signs for itself (RFC 7523 §2.1), anew for each exchange. It asserts who the job is; only the issuer's trust in the key proves it.</summary>
internal sealed class FederatedAssertionSource : IWorkloadIdentitySource
{
    // For one exchange with its retries; the check of proofs wants 30 s of it left.
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(75);

    private readonly Func<AssertionRequest, CancellationToken, ValueTask<string>> _sign;

    public FederatedAssertionSource(Func<AssertionRequest, CancellationToken, ValueTask<string>> sign) => _sign = sign;

    public FederatedAssertionSource(AssertionSigner signer, string issuer, string subject) =>
        _sign = (asked, cancellationToken) => signer.SignAsync(new AssertionClaims(issuer, subject, asked.Audience.ToString(), asked.Life, asked.Now), cancellationToken);

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        var asked = new AssertionRequest { Audience = request.Audience, Job = request.Job, Now = request.Time.GetUtcNow(), Life = Life, MustBeNew = request.MustBeNew };
        string? assertion = await _sign(asked, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();   // what comes after the flight was given up is not sent
        if (string.IsNullOrEmpty(assertion))
            throw new IdentityUnavailableException(ErrorCodes.SourceFailed, "The function that signs the assertion gave nothing.") { Hint = "It has to give a compact JWS." };
        try
        {
            Jwt jwt = JwtReader.Read(assertion);   // three parts, and an algorithm that is allowed
            return new SubjectToken(assertion, SubjectTokenType.Jwt, jwt.ExpiresAt);
        }
        catch (FormatException malformed)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, $"The function that signs the assertion gave no signed JWT: {malformed.Message}.")
            {
                Hint = "It has to give a compact JWS, signed with a key of its own (ES256, PS256 or RS256).",
            };
        }
    }

    public override string ToString() => "FederatedAssertion()";
}
