using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>A proof beside what the runtime's variables say: one that is another job's goes nowhere.</summary>
internal sealed class ProofOfAnotherJobTests
{
    private const string GitHub = "https://token.actions.githubusercontent.com";
    private const string GitHubSubject = "repo:acme/orders:ref:refs/heads/main";
    private const string GitLab = "https://gitlab.com";
    private const string GitLabSubject = "project_path:acme/orders:ref_type:branch:ref:main";
    private const string OnGitHub = "GITHUB_ACTIONS=true GITHUB_WORKFLOW_REF=nightly GITHUB_RUN_ID=77";
    private const string OnGitLab = "GITLAB_CI=true CI_PROJECT_PATH=acme/orders CI_PIPELINE_ID=77 CI_JOB_ID=9";

    [TestCase(GitHub, GitHubSubject, "repository=acme/orders run_id=78 workflow_ref=nightly", OnGitHub, "'run_id' (GitHub Actions) presents '78', and GITHUB_RUN_ID says that this job's Run is '77'")]
    [TestCase(GitHub, GitHubSubject, "repository=acme/orders run_id=77 workflow_ref=weekly", OnGitHub, "'workflow_ref' (GitHub Actions) presents 'weekly', and GITHUB_WORKFLOW_REF says that this job's Pipeline is 'nightly'")]
    [TestCase(GitLab, GitLabSubject, "project_path=acme/orders pipeline_id=78 job_id=9", OnGitLab, "'pipeline_id' (GitLab CI) presents '78', and CI_PIPELINE_ID says")]
    [TestCase(GitLab, GitLabSubject, "project_path=acme/orders pipeline_id=77 job_id=8", OnGitLab, "'job_id' (GitLab CI) presents '8', and CI_JOB_ID says")]
    public void A_proof_of_the_same_platform_that_names_another_job_is_refused_whether_or_not_the_fact_is_demanded(string issuer, string subject, string claims, string variables, string what)
    {
        foreach (JobFacts required in (JobFacts[])[JobFacts.None, JobFacts.Run])
        {
            IdentityUnavailableException refused = Assert.Throws<IdentityUnavailableException>(() => Of(issuer, subject, claims, variables, JobContext.Unnamed, required))!;
            Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo(("NHI2012", ExchangeStage.Attest, false)));
            Assert.That(refused.Message, Does.Contain(what).And.Contain("left behind by another job"));
        }
    }

    [Test]
    public async Task Nothing_of_it_reaches_an_issuer_and_the_audit_says_why()
    {
        await using TestJob job = await TestJob.StartAsync(
            source: IdentitySources.From((request, _) => new(Proofs.Token(Proofs.With(("aud", request.Audience.ToString()), ("run_id", "78"))))),
            more: b => b.Job(JobContext.Unnamed).RuntimeVariables(RuntimeFactsTests.Variables("GITHUB_ACTIONS=true GITHUB_RUN_ID=77")));

        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo("NHI2012").And.Property("Target").EqualTo("warehouse"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(job.Audit.Events.Select(e => (e.Kind, e.Code)), Is.EqualTo(new[] { (AuditEventKind.Failed, "NHI2012") }));
    }

    [Test]
    public void A_name_that_the_job_gave_itself_is_its_own()
    {
        JobAttestation said = Of(GitHub, GitHubSubject, "repository=acme/orders run_id=78 workflow_ref=nightly", OnGitHub, new JobContext { Run = "orders-1" });
        Assert.That((said.Job.Run, said.Attested, said.Job.Origins["Run"]), Is.EqualTo(("orders-1", JobFacts.Pipeline, "code")));
        Assert.That(said.Difference, Is.EqualTo("Run is '78' there and 'orders-1' here"));
    }

    [Test]
    public void A_proof_that_agrees_attests_what_the_variable_said()
    {
        JobAttestation said = Of(GitHub, GitHubSubject, "repository=acme/orders run_id=77 workflow_ref=nightly check_run_id=9", OnGitHub, JobContext.Unnamed);
        Assert.That((said.Attested, said.Job.Run, said.Difference), Is.EqualTo((JobFacts.Pipeline | JobFacts.Run | JobFacts.Task, "77", (string?)null)));
        Assert.That((said.Job.Origins["Run"], said.Job.Origins["Task"]), Is.EqualTo(("variable GITHUB_RUN_ID of GitHub Actions", "claim check_run_id of GitHub Actions")));
    }

    [Test]
    public void Where_the_platform_does_not_promise_the_same_name_the_attested_one_is_taken()
    {
        JobAttestation ofFork = Of(GitLab, GitLabSubject, "project_path=bob/orders pipeline_id=77 job_id=9", OnGitLab, JobContext.Unnamed, JobFacts.Pipeline);
        Assert.That((ofFork.Job.Pipeline, ofFork.Attested.HasFlag(JobFacts.Pipeline), ofFork.Job.Origins["Pipeline"]), Is.EqualTo(("bob/orders", true, "claim project_path of GitLab CI")));

        JobAttestation ofPod = JobAttestation.Of(OfPod(), RuntimeFacts.Read(RuntimeFactsTests.Variables(OnGitHub)), JobFacts.Run, "https://oidc.cluster.example");
        Assert.That((ofPod.Job.Run, ofPod.Attested, ofPod.Job.Pipeline), Is.EqualTo(("5a5a0000-0000-4000-8000-000000000001", JobFacts.Run, "nightly")), "a runner of GitHub's that is a pod proves itself as a pod");
    }

    [Test]
    public void A_stranger_who_calls_himself_that_platform_contradicts_nobody()
    {
        JobAttestation said = Of("https://github.stranger.example/_services/token", GitHubSubject, "repository=acme/orders run_id=78", OnGitHub, JobContext.Unnamed);
        Assert.That((said.Attested, said.Job.Run), Is.EqualTo((JobFacts.None, "77")));
    }

    private static JobAttestation Of(string issuer, string subject, string claims, string variables, JobContext declared, JobFacts required = JobFacts.None)
    {
        (string Name, JsonNode? Value)[] more = [.. claims.Split(' ').Select(claim => claim.Split('=')).Select(pair => (pair[0], (JsonNode?)pair[1]))];
        AttestedProof proof = ProofCheck.Check(Proofs.Token(Proofs.Of(issuer, subject, more)), new Audience(Proofs.Audience), ActsFor.Workload, Proofs.Now);
        return JobAttestation.Of(proof, declared.Over(RuntimeFacts.Read(RuntimeFactsTests.Variables(variables))), required, null);
    }

    private static AttestedProof OfPod()
    {
        var said = new JsonObject { ["namespace"] = "etl", ["serviceaccount"] = new JsonObject { ["name"] = "orders" }, ["pod"] = new JsonObject { ["uid"] = "5a5a0000-0000-4000-8000-000000000001" } };
        return ProofCheck.Check(Proofs.Token(Proofs.Of("https://oidc.cluster.example", "system:serviceaccount:etl:orders", ("kubernetes.io", said))), new Audience(Proofs.Audience), ActsFor.Proven, Proofs.Now);
    }
}
