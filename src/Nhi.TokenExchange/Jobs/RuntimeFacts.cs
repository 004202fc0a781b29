namespace Nhi.TokenExchange;

/// <summary>What the place where the job runs says of it, by the variables that it is documented to set in each job.</summary>
/// <remarks>
/// Where several rows of <see cref="Marks"/> match, the first counts: a runner of a CI system may itself be a pod. Taken is what the platform sets, under the names that its proofs use where they have any; not what people
/// agree on (a pod's <c>POD_NAME</c>), and not what only looks like it (GitHub's <c>GITHUB_JOB</c> is a key of the workflow file, where the proof says <c>check_run_id</c>). Databricks documents no variable that names job,
/// run or task: they are handed over as parameters. Variables are the process's own and anybody in it may set them: asserted, never attested.
/// </remarks>
internal static class RuntimeFacts
{
    // Names of branches and environments are the longest parts; what is longer is none of them.
    private const int LongestValue = 1000;

    // The names of platforms are those of WorkloadRecognition.
    private static readonly Mark[] Marks =
    [
        new("GitHub Actions", "GITHUB_ACTIONS", "true"),
        new("GitLab CI", "GITLAB_CI", "true"),
        // In a classic release the variables of a build are those of an artifact; there TF_BUILD is set, too, and the host type is "release".
        new("Azure DevOps", "SYSTEM_HOSTTYPE", "build"),
        new("Kubernetes", "KUBERNETES_SERVICE_HOST", null),
    ];

    private static readonly Row[] Rows =
    [
        // docs.github.com/actions/reference/workflows-and-actions/variables; nobody can set them within a job
        new("GitHub Actions", JobFacts.Pipeline, "GITHUB_WORKFLOW_REF", true),
        new("GitHub Actions", JobFacts.Run, "GITHUB_RUN_ID", true),
        // docs.gitlab.com/ci/variables/predefined_variables; of a fork's merge request the proof may name the fork (gitlab-org/gitlab#563038)
        new("GitLab CI", JobFacts.Pipeline, "CI_PROJECT_PATH", false),
        new("GitLab CI", JobFacts.Run, "CI_PIPELINE_ID", true),
        new("GitLab CI", JobFacts.Task, "CI_JOB_ID", true),
        new("GitLab CI", JobFacts.Environment, "CI_ENVIRONMENT_NAME", false),
        // learn.microsoft.com/azure/devops/pipelines/build/variables; that its proofs number alike is written nowhere
        new("Azure DevOps", JobFacts.Pipeline, "SYSTEM_DEFINITIONID", false),
        new("Azure DevOps", JobFacts.Run, "BUILD_BUILDID", false),
        new("Azure DevOps", JobFacts.Task, "SYSTEM_JOBID", false),
        new("Azure DevOps", JobFacts.Environment, "ENVIRONMENT_NAME", false),
        // kubernetes.io/docs/concepts/workloads/controllers/job: which part of an indexed Job
        new("Kubernetes", JobFacts.Task, "JOB_COMPLETION_INDEX", false),
    ];

    /// <summary>The job as the runtime says it; <see cref="JobContext.Unnamed"/> if it says nothing.</summary>
    /// <param name="environment">Gives a variable, or null.</param>
    public static JobContext Read(Func<string, string?> environment)
    {
        string? platform = Marks.FirstOrDefault(mark => Is(mark.Variable, mark.Value))?.Platform;
        var said = new Dictionary<JobFacts, (string Value, FactOrigin Origin)>();
        foreach ((_, JobFacts fact, string variable, bool isNameOfClaim) in Rows.Where(row => row.Platform == platform))
        {
            // A line of the log, and of the audit, is one line.
            if (environment(variable)?.Trim() is { Length: > 0 and <= LongestValue } value && !value.Any(char.IsControl))
                said[fact] = (value, FactOrigin.OfVariable(platform!, variable, isNameOfClaim));
        }
        return said.Count == 0 ? JobContext.Unnamed : JobContext.Of(said);

        bool Is(string variable, string? expected) =>
            environment(variable) is { Length: > 0 } value && (expected is null || string.Equals(value, expected, StringComparison.OrdinalIgnoreCase));
    }

    /// <param name="Platform">What the job runs on if the variable is set,</param>
    /// <param name="Variable">whose name this is,</param>
    /// <param name="Value">to this; null: to anything.</param>
    private sealed record Mark(string Platform, string Variable, string? Value);

    /// <param name="Platform">Which platform says it.</param>
    /// <param name="Fact">What it says.</param>
    /// <param name="Variable">Where.</param>
    /// <param name="IsNameOfClaim">Whether its proofs have the same under a claim of this name.</param>
    private sealed record Row(string Platform, JobFacts Fact, string Variable, bool IsNameOfClaim);
}
