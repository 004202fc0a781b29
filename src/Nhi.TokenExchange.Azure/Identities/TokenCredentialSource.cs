using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>A credential of an Azure SDK as a source of proofs.</summary>
internal sealed class TokenCredentialSource : IWorkloadIdentitySource
{
    private readonly TokenCredential _credential;
    private readonly string _name;
    private readonly bool _isAPersons;

    /// <exception cref="TokenExchangeException">Its type is refused.</exception>
    public TokenCredentialSource(TokenCredential credential, bool allowPerson)
    {
        _isAPersons = CredentialTypes.Check(credential, allowPerson);
        _credential = credential;
        _name = ExceptionText.Clean(credential.GetType().Name);
    }

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        AccessToken got;
        try
        {
            // Neither claims nor capabilities: cp1 would lengthen what can leak to a day.
            got = await _credential.GetTokenAsync(new TokenRequestContext([EntraScope.DefaultOf(request.Audience.ToString())]), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not TokenExchangeException && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw Failed(exception);
        }
        return Proof(got, request);
    }

    public override string ToString() => $"From({_name})";

    // Texts of other people's exceptions may quote a body: only types and statuses are told.
    private IdentityUnavailableException Failed(Exception exception)
    {
        var failure = CredentialFailure.Of(exception);
        return new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{_name} gave no token: {exception.GetType().Name}{(failure.Status is { } status ? $", status {status}" : "")}.")
        {
            IsTransient = failure.IsTransient,
            Hint = "Ask it by itself once, outside of the job, to see what it says; its text is not repeated here.",
        };
    }

    private SubjectToken Proof(AccessToken got, SubjectTokenRequest request)
    {
        SubjectToken proof;
        try
        {
            proof = new SubjectToken(got.Token, SubjectTokenType.AccessToken, got.ExpiresOn) { AskedFor = request.Audience, IsAPersons = _isAPersons };
        }
        catch (ArgumentException malformed)   // names length or position, never the token
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, $"{_name} gave no token that can be sent: {malformed.Message}") { Hint = "Correct the credential." };
        }
        if (request.MustBeNew && proof.Fingerprint == request.RefusedFingerprint)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, $"{_name} gave the very token again that the issuer refused: it keeps a cache of its own.")
            {
                Hint = "Use a source of this library, which is asked anew each time.",
            };
        }
        return proof;
    }
}
