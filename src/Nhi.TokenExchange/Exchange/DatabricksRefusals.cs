namespace Nhi.TokenExchange;

/// <summary>Says what to do about a refusal of a Databricks token endpoint: what was presented, beside what a federation policy has to list, and the command that makes one.</summary>
internal sealed class DatabricksRefusals(Uri host, string? clientId, DatabricksDialect dialect)
{
    // What a value may consist of to be put between single quotes of a shell and double quotes of JSON, by hand.
    private const string PlainMarks = "-._~:/?#[]@!*+,;=%|{}() ";
    private const int LongestValue = 300;

    /// <summary>The hint for an OAuth error; null where there is no more to say than in general.</summary>
    public string? HintFor(string error, SubjectToken proof) => error switch
    {
        "invalid_scope" => "Ask for scopes of the Databricks API that this principal may have, such as sql; the REST reference names the scope of each method.",
        "unsupported_grant_type" => $"This host does not take the dialect {dialect}. Set Dialect to {(dialect == DatabricksDialect.TokenExchange ? DatabricksDialect.JwtBearer : DatabricksDialect.TokenExchange)}, or check that it is a Databricks host with OAuth.",
        "invalid_client" when clientId is not null => $"Correct ClientId, {Shown(clientId)}: it has to be the application id (a GUID) of a service principal of this workspace or account, which Settings, Identity and access, Service principals shows.",
        "invalid_authorization_details" => "The workspace does not take these AuthorizationDetails. Check type, object and actions.",
        "invalid_request" or "invalid_grant" or "unauthorized_client" or "access_denied" or "invalid_token" => HintFor(proof),
        _ => null,
    };

    private string? HintFor(SubjectToken proof)
    {
        Jwt jwt;
        try
        {
            jwt = JwtReader.Read(proof.Reveal());
        }
        catch (FormatException)
        {
            return null;   // opaque: nothing can be shown of it
        }
        if (Uri.TryCreate(jwt.Issuer, UriKind.Absolute, out Uri? issuer) && issuer.Host == host.Host && issuer.Port == host.Port)
            return "What was presented is a token of this very host, to be narrowed. It has to be alive, and to have all scopes that are asked for; name no ClientId for a narrowing.";
        string audience = jwt.Audiences.Count > 0 ? jwt.Audiences[0] : "";
        string presented = $"issuer '{Shown(jwt.Issuer)}', subject '{Shown(jwt.Subject)}', audience '{Shown(audience)}'";
        return clientId is null
            ? $"Presented were {presented}. A federation policy of the account has to list that issuer and that audience exactly, and the claim that it maps (sub, unless it says another) has to name a user or the application id of a service principal.{CommandForAccount(jwt, audience)}"
            : $"Presented were {presented}. A federation policy of service principal {Shown(clientId)} has to list that issuer, that subject and that audience exactly; ClientId is its application id.{CommandForPrincipal(jwt, audience)}";
    }

    private string CommandForPrincipal(Jwt jwt, string audience) => !ArePlain(clientId!, jwt.Issuer, jwt.Subject, audience) ? ""
        : $" An account admin makes it so: databricks account service-principal-federation-policy create NUMERIC_ID --json '{{\"oidc_policy\":{{\"issuer\":\"{jwt.Issuer}\",\"audiences\":[\"{audience}\"],\"subject\":\"{jwt.Subject}\"}}}}'"
            + $" where NUMERIC_ID is the id in: databricks account service-principals list --filter 'applicationId eq \"{clientId}\"'";

    private static string CommandForAccount(Jwt jwt, string audience) => !ArePlain(jwt.Issuer, audience) ? ""
        : $" An account admin makes it so: databricks account federation-policy create --json '{{\"oidc_policy\":{{\"issuer\":\"{jwt.Issuer}\",\"audiences\":[\"{audience}\"],\"subject_claim\":\"sub\"}}}}'";

    // A command is copied into a shell: a proof must not be able to say another one.
    private static bool ArePlain(params ReadOnlySpan<string> values)
    {
        foreach (string value in values)
        {
            if (value.Length is 0 or > LongestValue || !value.All(letter => char.IsAsciiLetterOrDigit(letter) || PlainMarks.Contains(letter, StringComparison.Ordinal)))
                return false;
        }
        return true;
    }

    private static string Shown(string value) => ExceptionText.Clean(value, LongestValue);
}
