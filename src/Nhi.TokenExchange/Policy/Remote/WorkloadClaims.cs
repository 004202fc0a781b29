namespace Nhi.TokenExchange;

/// <summary>The claims that a decision point gets unless it is told otherwise: which workload it is and where it runs. Claims can be personal, so this is a list of what leaves, not of what does not.</summary>
internal static class WorkloadClaims
{
    // Left out on purpose: actor, user_login, user_email, email, name, upn and their like, which are a person's; jti, iat, nbf and exp, which differ from proof to proof.
    public static IReadOnlyList<string> Default { get; } =
    [
        "iss", "sub", "aud", "azp",
        // GitHub Actions
        "repository", "repository_id", "repository_owner", "repository_owner_id", "repository_visibility", "ref", "ref_type", "environment", "event_name", "workflow_ref", "job_workflow_ref", "run_id", "runner_environment",
        // GitLab CI
        "project_path", "project_id", "namespace_path", "namespace_id", "pipeline_id", "pipeline_source", "job_id", "ref_protected", "environment_protected", "deployment_tier", "ci_config_ref_uri",
        // Kubernetes
        "kubernetes.io/namespace", "kubernetes.io/serviceaccount/name", "kubernetes.io/serviceaccount/uid", "kubernetes.io/pod/name", "kubernetes.io/pod/uid",
        // Azure
        "tid", "oid", "appid", "idtyp", "xms_mirid",
    ];
}
