namespace Nhi.TokenExchange;

/// <summary>Says what to do about a refusal of Google's Security Token Service: what was presented, beside what the provider has to know, and the command that makes it so.</summary>
internal sealed class GoogleStsRefusals(GoogleProvider provider)
{
    /// <summary>The hint for an OAuth error; null where there is no more to say than in general.</summary>
    public string? HintFor(string error, SubjectToken subject)
    {
        PresentedProof? proof = PresentedProof.Read(subject);
        string presented = proof is null ? "What was presented is no JWT." : $"Presented were {proof}.";
        return error switch
        {
            "invalid_target" => $"There is no such provider, or it or its pool is disabled or was deleted. Compare with: gcloud iam workload-identity-pools providers describe {Address}",
            "invalid_request" => $"{presented} Google takes no such request: the provider has to be named with its project's number, and without quotes; the proof has to be a JWT. It was {provider.Audience}",
            "invalid_grant" => $"{presented} The provider has to name that issuer, and that audience among its allowed audiences (none listed means {provider.SubjectAudience}); the issuer's keys have to be reachable, the proof to be alive, and google.subject to have at most 127 characters.{CommandFor(proof)}",
            "unauthorized_client" => $"{presented} The provider's attribute condition refuses these claims. Look at it: gcloud iam workload-identity-pools providers describe {Address} --format='value(attributeCondition)'",
            "invalid_scope" => "Write each scope whole, such as https://www.googleapis.com/auth/devstorage.read_only.",
            _ => null,
        };
    }

    private string Address => $"{provider.Id} --workload-identity-pool={provider.Pool} --location=global --project={provider.Project}";

    private string CommandFor(PresentedProof? proof) => proof is null || !CommandText.IsPlain(proof.Issuer, proof.Audience) ? ""
        : $" An admin makes it so: gcloud iam workload-identity-pools providers update-oidc {Address} --issuer-uri='{proof.Issuer}' --allowed-audiences='{proof.Audience}'";
}
