using System.Runtime.ExceptionServices;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>The managed identity of the host, asked through MSAL for each exchange.</summary>
/// <param name="id">Which identity.</param>
/// <param name="wire">Below MSAL; sockets if null.</param>
/// <param name="configure">Changes MSAL's builder; nothing if null. No logger is attached otherwise: MSAL's may show what ours must not.</param>
internal sealed class ManagedIdentitySource(AzureManagedIdentityId id, HttpMessageHandler? wire = null, Action<ManagedIdentityApplicationBuilder>? configure = null) : IWorkloadIdentitySource
{
    // Two that ask first at once may both set it; the difference does not matter.
    private FirstUse? _firstUse;

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        FirstUse first = _firstUse ??= new FirstUse(request.Time, request.Time.GetTimestamp());
        using var clients = new MetadataClients(id, request.Time, wire, MetadataPatience.MayStart(first.Elapsed));
        // Our tries are the only ones: MSAL's would multiply them.
        ManagedIdentityApplicationBuilder builder = ManagedIdentityApplicationBuilder.Create(id.ForMsal).WithHttpClientFactory(clients, retryOnceOn5xx: false);
        configure?.Invoke(builder);
        try
        {
            // MSAL's cache for managed identities is one for the process; it must not stand between the job and its issuer. MSAL gets no token to keep, so this always throws.
            await builder.Build().AcquireTokenForManagedIdentity(EntraScope.ResourceOf(request.Audience.ToString())).WithForceRefresh(true).ExecuteAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            if (clients.Conversation?.Good is var (answer, expiresAt))
                return Proof(answer, expiresAt, request);
            cancellationToken.ThrowIfCancellationRequested();
            if (clients.Conversation?.Failure is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            throw Refused(exception);
        }
        throw Refused(new MsalClientException("answered_without_asking"));
    }

    public override string ToString() => $"ManagedIdentity({id})";

    private SubjectToken Proof(MetadataAnswer answer, DateTimeOffset expiresAt, SubjectTokenRequest request)
    {
        MetadataAnswerCheck.Check(answer, id, EntraScope.ResourceOf(request.Audience.ToString()));
        SubjectToken proof;
        try
        {
            proof = new SubjectToken(answer.Reveal(), SubjectTokenType.AccessToken, expiresAt) { AskedFor = request.Audience, IsPlatformAttested = true };
        }
        catch (ArgumentException malformed)   // names length or position, never the token
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofMalformed, $"The platform gave no token that can be sent: {malformed.Message}") { Hint = "Check that the address is the platform's own." };
        }
        if (request.MustBeNew && proof.Fingerprint == request.RefusedFingerprint)
        {
            throw new IdentityUnavailableException(ErrorCodes.ProofUnavailable, "The platform gave the very token again that the issuer refused: it keeps one for up to a day, and none but the platform renews it.")
            {
                Hint = "Compare what the issuer said with the trust that it has, and the clocks.",
            };
        }
        return proof;
    }

    // MSAL's own refusals, before or after the host was asked. Its texts may quote an answer: the code is told alone.
    private IdentityUnavailableException Refused(Exception exception)
    {
        string code = (exception as MsalException)?.ErrorCode ?? exception.GetType().Name;
        return code switch
        {
            "invalid_managed_identity_id_type" when id.IsSystemAssigned => new(ErrorCodes.ProofUnavailable, "Azure Machine Learning declares no identity of its own: DEFAULT_IDENTITY_CLIENT_ID is not set.")
            {
                Hint = "Give the compute an identity, or name a user-assigned one: IdentitySources.ManagedIdentity(AzureManagedIdentityId.FromClientId(…)).",
            },
            MsalError.UserAssignedManagedIdentityNotSupported or "user_assigned_managed_identity_not_configurable_at_runtime" or "invalid_managed_identity_id_type" => MetadataRefusal.UserAssigned(id, "this host"),
            "invalid_managed_identity_endpoint" => new(ErrorCodes.ProofUnavailable, "The variable that names the identity endpoint (IDENTITY_ENDPOINT, MSI_ENDPOINT, AZURE_POD_IDENTITY_AUTHORITY_HOST) is no address.")
            {
                Hint = "The platform sets it; nothing else should.",
            },
            _ => new(ErrorCodes.ProofUnavailable, $"MSAL got no token for {id}: {ExceptionText.Clean(code)}.") { Hint = "Assign the managed identity to the host, and let the identity endpoint of its platform be reached: the metadata service (169.254.169.254), or what IDENTITY_ENDPOINT names." },
        };
    }

    private sealed record FirstUse(TimeProvider Time, long At)
    {
        public TimeSpan Elapsed => Time.GetElapsedTime(At);
    }
}
