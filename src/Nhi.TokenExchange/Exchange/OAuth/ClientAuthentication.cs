namespace Nhi.TokenExchange;

/// <summary>How a client says who it is at a token or revocation endpoint. A client secret is none of the ways.</summary>
internal abstract class ClientAuthentication
{
    /// <summary>RFC 7523 §2.2.</summary>
    private const string JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    // One request long; the issuer's clock may lag or lead by some of it.
    private static readonly TimeSpan AssertionLife = TimeSpan.FromSeconds(60);

    /// <summary>Whether the fields must be made anew for each try: an assertion may be used once.</summary>
    public virtual bool IsFreshEachTime => true;

    /// <summary>Adds the fields.</summary>
    public abstract ValueTask AddToAsync(FormBody form, ClientAuthenticationRequest request, CancellationToken cancellationToken);

    /// <summary>A public client: its id if it has one, and nothing else (RFC 6749 §2.3.1).</summary>
    public static ClientAuthentication None(string? clientId) => new Public(clientId);

    /// <summary>An assertion signed by a key of the client's (RFC 7523 §2.2).</summary>
    public static ClientAuthentication PrivateKeyJwt(string clientId, AssertionSigner signer, string audience, string type) => new Signed(clientId, signer, audience, type);

    /// <summary>The proof of an identity as the assertion: the issuer trusts the identity's issuer for this client.</summary>
    public static ClientAuthentication Federated(string clientId, IWorkloadIdentitySource source, Audience audience) => new ByIdentity(clientId, source, audience);

    private static void Add(FormBody form, string clientId, string assertion) =>
        form.Add("client_id", clientId).Add("client_assertion_type", JwtBearer).Add("client_assertion", assertion);

    private sealed class Public(string? clientId) : ClientAuthentication
    {
        public override bool IsFreshEachTime => false;

        public override ValueTask AddToAsync(FormBody form, ClientAuthenticationRequest request, CancellationToken cancellationToken)
        {
            form.Add("client_id", clientId);
            return default;
        }
    }

    private sealed class Signed(string clientId, AssertionSigner signer, string audience, string type) : ClientAuthentication
    {
        public override async ValueTask AddToAsync(FormBody form, ClientAuthenticationRequest request, CancellationToken cancellationToken)
        {
            var claims = new AssertionClaims(clientId, clientId, audience, AssertionLife, request.Time.GetUtcNow(), type);
            Add(form, clientId, await signer.SignAsync(claims, cancellationToken).ConfigureAwait(false));
        }
    }

    private sealed class ByIdentity(string clientId, IWorkloadIdentitySource source, Audience audience) : ClientAuthentication
    {
        public override async ValueTask AddToAsync(FormBody form, ClientAuthenticationRequest request, CancellationToken cancellationToken)
        {
            var asked = new SubjectTokenRequest
            {
                Audience = audience, Job = request.Job, Backchannel = request.Backchannel, Time = request.Time,
            };
            SubjectToken proof = await source.GetSubjectTokenAsync(asked, cancellationToken).ConfigureAwait(false)
                ?? throw new IdentityUnavailableException(ErrorCodes.SourceFailed, "The source of the client's assertion gave null.");
            ProofCheck.Check(proof, audience, ActsFor.Workload, request.Time.GetUtcNow());
            Add(form, clientId, proof.Reveal());
        }
    }
}

/// <summary>For which request a client authenticates.</summary>
internal readonly record struct ClientAuthenticationRequest(JobContext Job, HttpMessageInvoker Backchannel, TimeProvider Time);
