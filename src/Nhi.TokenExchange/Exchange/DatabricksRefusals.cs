namespace Nhi.TokenExchange;

/// <summary>Says what to do about a refusal of a Databricks token endpoint: what was presented, beside what a federation policy has to list, and the command that makes one.</summary>
internal sealed class DatabricksRefusals(Uri host, string? clientId, DatabricksDialect dialect)
{
    /// <summary>The hint for an OAuth error; null where there is no more to say than in general.</summary>
    public string? HintFor(string error, SubjectToken proof) => error switch
    {
        "invalid_scope" => "Ask for scopes of the Databricks API that this principal may have, such as sql; the REST reference names the scope of each method.",
        "unsupported_grant_type" => $"This host does not take the dialect {dialect}. Set Dialect to {(dialect == DatabricksDialect.TokenExchange ? DatabricksDialect.JwtBearer : DatabricksDialect.TokenExchange)}, or check that it is a Databricks host with OAuth.",
        "invalid_client" when clientId is not null => $"Correct ClientId, {PresentedProof.Shown(clientId)}: it has to be the application id (a GUID) of a service principal of this workspace or account, which Settings, Identity and access, Service principals shows.",
        "invalid_authorization_details" => "The workspace does not take these AuthorizationDetails. Check type, object and actions.",
        "invalid_request" or "invalid_grant" or "unauthorized_client" or "access_denied" or "invalid_token" => HintFor(proof),
        _ => null,
    };

    private string? HintFor(SubjectToken proof)
    {
        if (PresentedProof.Read(proof) is not { } presented)
            return null;
        if (Uri.TryCreate(presented.Issuer, UriKind.Absolute, out Uri? issuer) && issuer.Host == host.Host && issuer.Port == host.Port)
            return "What was presented is a token of this very host, to be narrowed. It has to be alive, and to have all scopes that are asked for; name no ClientId for a narrowing.";
        return clientId is null
            ? $"Presented were {presented}. A federation policy of the account has to list that issuer and that audience exactly, and the claim that it maps (sub, unless it says another) has to name a user or the application id of a service principal.{CommandForAccount(presented)}"
            : $"Presented were {presented}. A federation policy of service principal {PresentedProof.Shown(clientId)} has to list that issuer, that subject and that audience exactly; ClientId is its application id.{presented.OtherForm}{CommandForPrincipal(presented)}";
    }

    private string CommandForPrincipal(PresentedProof proof) => !CommandText.IsPlain(clientId!, proof.Issuer, proof.Subject, proof.Audience) ? ""
        : $" An account admin makes it so: databricks account service-principal-federation-policy create NUMERIC_ID --json '{{\"oidc_policy\":{{\"issuer\":\"{proof.Issuer}\",\"audiences\":[\"{proof.Audience}\"],\"subject\":\"{proof.Subject}\"}}}}'"
            + $" where NUMERIC_ID is the id in: databricks account service-principals list --filter 'applicationId eq \"{clientId}\"'";

    private static string CommandForAccount(PresentedProof proof) => !CommandText.IsPlain(proof.Issuer, proof.Audience) ? ""
        : $" An account admin makes it so: databricks account federation-policy create --json '{{\"oidc_policy\":{{\"issuer\":\"{proof.Issuer}\",\"audiences\":[\"{proof.Audience}\"],\"subject_claim\":\"sub\"}}}}'";
}
