namespace Nhi.TokenExchange;

/// <summary>Tells proofs of workloads and proofs of persons by what platforms are documented to put into them. What neither list knows is unknown, and refused unless the configuration vouches for it.</summary>
/// <remarks>Shapes, not trust: whether the signature is the platform's is verified by the issuer that the proof is sent to.</remarks>
internal static class WorkloadRecognition
{
    // One line per platform. A fixed issuer where the platform has one; where anybody can host it, the claims that only its jobs have.
    private static readonly (string Platform, Func<Jwt, string?, bool> Matches)[] Workloads =
    [
        // docs.github.com/actions/reference/security/oidc; the subject may be a template of the owner's, so issuer and run tell
        ("GitHub Actions", (jwt, host) => jwt.Has("repository") && jwt.Has("run_id") && IsGitHub(jwt, host)),
        // kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin
        ("Kubernetes service account", (jwt, _) => jwt.Has("kubernetes.io/namespace") && jwt.Subject == $"system:serviceaccount:{jwt["kubernetes.io/namespace"]}:{jwt["kubernetes.io/serviceaccount/name"]}"),
        // learn.microsoft.com/azure/devops/pipelines/release/troubleshoot-workload-identity: a service connection, or the pipeline itself
        ("Azure DevOps", (jwt, host) => host == "vstoken.dev.azure.com" && (StartsWith(jwt, "sc://") || StartsWith(jwt, "p://"))),
        // learn.microsoft.com/azure/devops/pipelines/release/convert-service-connections: the same connection, said by Entra
        ("Azure DevOps through Entra", (jwt, host) => IsEntra(host) && StartsWith(jwt, "/eid1/") && jwt.Subject.Contains("/sc/", StringComparison.Ordinal)),
        // learn.microsoft.com/entra/identity-platform/access-token-claims-reference: idtyp, or without it oid equal to sub and no scp
        ("Entra application or managed identity", (jwt, host) => IsEntra(host) && (jwt["idtyp"] == "app" || (!jwt.Has("idtyp") && (jwt.Has("appid") || jwt.Has("azp")) && jwt["oid"] == jwt.Subject))),
        // docs.gitlab.com/ci/secrets/id_token_authentication; any host
        ("GitLab CI", (jwt, _) => StartsWith(jwt, "project_") && jwt.Has("project_path") && jwt.Has("pipeline_id") && jwt.Has("job_id")),
        // spiffe.io JWT-SVID §3.1
        ("SPIFFE", (jwt, _) => IsSpiffeId(jwt.Subject)),
        // buildkite.com/docs/agent/cli/reference/oidc
        ("Buildkite", (jwt, host) => host == "agent.buildkite.com" && jwt.Has("job_id")),
        // circleci.com/docs/openid-connect-tokens; the user in the subject is whoever pushed
        ("CircleCI", (jwt, host) => host == "oidc.circleci.com" && StartsWith(jwt, "org/")),
        // support.atlassian.com: Integrate Pipelines with resource servers using OIDC
        ("Bitbucket Pipelines", (jwt, host) => host == "api.bitbucket.org" && jwt.Has("stepUuid")),
        // developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
        ("HCP Terraform", (jwt, _) => StartsWith(jwt, "organization:") && jwt.Has("terraform_run_id")),
        // vercel.com/docs/oidc/reference; development tokens stand for a person's own machine
        ("Vercel", (jwt, host) => host == "oidc.vercel.com" && StartsWith(jwt, "owner:") && jwt["environment"] is "production" or "preview"),
        // fly.io/docs/security/openid-connect
        ("Fly.io", (jwt, host) => host == "oidc.fly.io" && jwt.Has("machine_id")),
        // cloud.google.com/docs/authentication/token-types: a service account is its own authorized party, a person never is
        ("Google service account", (jwt, _) => IsGoogle(jwt) && (jwt["azp"] == jwt.Subject || (IsServiceAccountMail(jwt["email"]) && jwt["email_verified"] == "true"))),
        // docs.aws.amazon.com/IAM: outbound identity federation; the subject is the role that asked
        ("AWS role", (jwt, host) => host?.EndsWith(".tokens.sts.global.api.aws", StringComparison.Ordinal) == true && StartsWith(jwt, "arn:aws")),
        // RFC 9068 §2.2 with RFC 6749 §4.4: an access token of the client credentials grant names the client twice
        ("OAuth client", (jwt, _) => jwt.Type is "at+jwt" or "application/at+jwt" && jwt["client_id"] == jwt.Subject && jwt.Issuer != jwt.Subject),
    ];

    // Ways in which people log in (RFC 8176 §2, and Entra's).
    private static readonly string[] LogIns = ["pwd", "mfa", "otp", "face", "fpt", "pin", "sms", "tel", "wia", "hwk", "swk", "kba", "user", "vbm", "fido", "ngcmfa"];

    /// <summary>The platform whose workload the proof is for; null if none is known to make such a proof.</summary>
    public static string? PlatformOf(Jwt jwt)
    {
        // Whoever says it of himself has shown nothing: a self-signed assertion.
        if (jwt.Subject.Length == 0 || jwt.Issuer == jwt.Subject)
            return null;
        string? host = PublicIssuers.HostOf(jwt.Issuer);
        foreach ((string platform, Func<Jwt, string?, bool> matches) in Workloads)
        {
            if (matches(jwt, host))
                return platform;
        }
        return null;
    }

    /// <summary>The mark that shows that the proof is a person's; null if there is none. GitHub's <c>actor</c> and GitLab's <c>user_login</c> name who caused a run, not who acts.</summary>
    public static string? PersonMarkOf(Jwt jwt)
    {
        if (jwt["idtyp"] == "user")
            return "idtyp is 'user'";
        foreach (string claim in (ReadOnlySpan<string>)["upn", "unique_name", "given_name", "family_name", "birthdate", "phone_number"])
        {
            if (jwt.Has(claim))
                return $"it has '{claim}'";
        }
        if (jwt["preferred_username"] is { } user && !user.StartsWith("service-account-", StringComparison.Ordinal))   // Keycloak's clients have that name
            return "it has 'preferred_username'";
        // OpenID Connect Core §2: when the end user logged in. Old Keycloak gives 0 where nobody did.
        if (jwt["auth_time"] is { } time && time != "0")
            return "it has 'auth_time': somebody logged in";
        if (jwt["amr"] is { } amr && LogIns.Any(way => amr.Contains($"\"{way}\"", StringComparison.Ordinal)))
            return "its 'amr' is a person's way to log in";
        // Entra and Okta: scopes that a user delegated. An application has roles, or is its own subject.
        if (jwt.Has("scp") && jwt["idtyp"] != "app" && jwt["cid"] != jwt.Subject && jwt["client_id"] != jwt.Subject)
            return "it has 'scp' (scopes that a user delegated) and no idtyp 'app'";
        if (jwt["email"] is { } email && (IsGoogle(jwt) || IsEntra(PublicIssuers.HostOf(jwt.Issuer))) && !IsServiceAccountMail(email))
            return "it has the 'email' of a person";
        if (IsGoogle(jwt) && jwt.Has("hd"))
            return "it has 'hd', the domain of a person's account";
        // accounts.google.com, GitLab, Databricks (user-to-machine) and others name a person by his address.
        return LooksLikeMail(jwt.Subject) && !IsServiceAccountMail(jwt.Subject) ? "its subject is a mail address" : null;
    }

    /// <summary>Whether a text is a SPIFFE ID: trust domain and path, nothing else (SPIFFE-ID §2).</summary>
    public static bool IsSpiffeId(string subject) =>
        Uri.TryCreate(subject, UriKind.Absolute, out Uri? id) && id.Scheme == "spiffe" && id.Host.Length > 0 && id.AbsolutePath.Length > 1
        && id.UserInfo.Length == 0 && id.IsDefaultPort && id.Query.Length == 0 && id.Fragment.Length == 0;

    // GitHub's own, or Enterprise Server at any host.
    private static bool IsGitHub(Jwt jwt, string? host) =>
        PublicIssuers.Has("GitHub Actions", jwt.Issuer) || (host is not null && jwt.Issuer.EndsWith("/_services/token", StringComparison.Ordinal));

    private static bool IsEntra(string? host) => host is "login.microsoftonline.com" or "sts.windows.net" or "login.microsoftonline.us" or "login.partner.microsoftonline.cn" or "sts.chinacloudapi.cn";

    private static bool IsGoogle(Jwt jwt) => jwt.Issuer is "https://accounts.google.com" or "accounts.google.com";

    private static bool IsServiceAccountMail(string? mail) => mail?.EndsWith(".gserviceaccount.com", StringComparison.Ordinal) == true;

    private static bool StartsWith(Jwt jwt, string prefix) => jwt.Subject.StartsWith(prefix, StringComparison.Ordinal);

    private static bool LooksLikeMail(string subject)
    {
        int at = subject.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && subject.IndexOfAny([':', '/', ' ']) < 0 && subject.IndexOf('.', at) > at + 1;
    }
}
