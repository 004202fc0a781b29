namespace Nhi.TokenExchange;

/// <summary>Which claims of a platform's proof attest which fact of the job. What stands in no row is attested by nobody.</summary>
/// <remarks>
/// Where a row has several claims, each is a name of the same thing, and a job may go by any of them. The first is taken where the job says nothing.
/// A claim counts in the proofs of its platform alone (<see cref="WorkloadRecognition.PlatformOf"/>): somewhere else the same word may mean something else, or be chosen by the job.
/// And of an issuer that is believed alone: <see cref="PublicIssuers"/>, or the one that the target names. By claims alone, anybody's host looks like such a platform.
/// What a job may name as it likes is in no row: GitHub's <c>workflow</c>, a pod's name, a step's key. An environment counts for what its protection rules are worth.
/// </remarks>
internal static class FactClaims
{
    private static readonly (string Platform, JobFacts Fact, string[] Claims)[] Rows =
    [
        // docs.github.com/actions/reference/security/oidc
        ("GitHub Actions", JobFacts.Pipeline, ["workflow_ref"]),
        ("GitHub Actions", JobFacts.Run, ["run_id"]),
        ("GitHub Actions", JobFacts.Task, ["check_run_id"]),
        ("GitHub Actions", JobFacts.Environment, ["environment"]),
        // docs.gitlab.com/ci/secrets/id_token_authentication: its "pipeline" is a run of what the project defines
        ("GitLab CI", JobFacts.Pipeline, ["project_path", "ci_config_ref_uri"]),
        ("GitLab CI", JobFacts.Run, ["pipeline_id"]),
        ("GitLab CI", JobFacts.Task, ["job_id"]),
        ("GitLab CI", JobFacts.Environment, ["environment"]),
        // learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity
        ("Azure DevOps", JobFacts.Pipeline, ["def_id"]),
        ("Azure DevOps", JobFacts.Run, ["run_id"]),
        // kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin: a pod is one run; the service account may serve many
        ("Kubernetes service account", JobFacts.Run, ["kubernetes.io/pod/uid"]),
        // buildkite.com/docs/agent/cli/reference/oidc
        ("Buildkite", JobFacts.Pipeline, ["pipeline_slug"]),
        ("Buildkite", JobFacts.Run, ["build_number"]),
        ("Buildkite", JobFacts.Task, ["job_id"]),
        // support.atlassian.com: Integrate Pipelines with resource servers using OIDC; its "pipeline" is a run
        ("Bitbucket Pipelines", JobFacts.Pipeline, ["repositoryUuid"]),
        ("Bitbucket Pipelines", JobFacts.Run, ["pipelineUuid"]),
        ("Bitbucket Pipelines", JobFacts.Task, ["stepUuid"]),
        ("Bitbucket Pipelines", JobFacts.Environment, ["deploymentEnvironmentUuid"]),
        // developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens
        ("HCP Terraform", JobFacts.Pipeline, ["terraform_workspace_name", "terraform_workspace_id"]),
        ("HCP Terraform", JobFacts.Run, ["terraform_run_id"]),
        ("HCP Terraform", JobFacts.Task, ["terraform_run_phase"]),
        // vercel.com/docs/oidc/reference
        ("Vercel", JobFacts.Pipeline, ["project", "project_id"]),
        ("Vercel", JobFacts.Environment, ["environment"]),
    ];

    /// <summary>The names of the claims by which a platform attests a fact; none where it does not.</summary>
    public static IReadOnlyList<string> Of(string platform, JobFacts fact) => Rows.FirstOrDefault(row => row.Platform == platform && row.Fact == fact).Claims ?? [];

    /// <summary>The platforms whose proofs attest a fact.</summary>
    public static IEnumerable<string> PlatformsThatAttest(JobFacts fact) => Rows.Where(row => row.Fact == fact).Select(row => row.Platform);
}
