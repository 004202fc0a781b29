using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>What a proof says of the job, beside what the configuration says of it.</summary>
internal sealed class AttestedFactsTests
{
    private const string Cluster = "https://oidc.cluster.acme.example/id/7";
    private const string Pod = "5a5a0000-0000-4000-8000-000000000001";

    private static readonly JobContext Declared = new() { Pipeline = "orders-nightly", Run = "77" };

    [TestCase("https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77 workflow_ref=nightly environment=prod check_run_id=9", JobFacts.Pipeline | JobFacts.Run | JobFacts.Task | JobFacts.Environment)]
    [TestCase("https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77", JobFacts.Run)]
    [TestCase("https://gitlab.com", "project_path:acme/orders:ref_type:branch:ref:main", "project_path=acme/orders pipeline_id=77 job_id=2", JobFacts.Pipeline | JobFacts.Run | JobFacts.Task)]
    [TestCase("https://vstoken.dev.azure.com/x", "sc://acme/data/lake", "def_id=17 run_id=77", JobFacts.Pipeline | JobFacts.Run)]
    [TestCase("https://agent.buildkite.com", "organization:acme:pipeline:orders", "pipeline_slug=orders build_number=77 job_id=load", JobFacts.Pipeline | JobFacts.Run | JobFacts.Task)]
    [TestCase("https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc", "{a}:{b}", "repositoryUuid=r pipelineUuid=77 stepUuid=s deploymentEnvironmentUuid=e", JobFacts.Pipeline | JobFacts.Run | JobFacts.Task | JobFacts.Environment)]
    [TestCase("https://app.terraform.io", "organization:acme:project:p:workspace:w", "terraform_workspace_name=w terraform_run_id=77 terraform_run_phase=apply", JobFacts.Pipeline | JobFacts.Run | JobFacts.Task)]
    [TestCase("https://oidc.vercel.com/acme", "owner:acme:project:p:environment:production", "project=p environment=production", JobFacts.Pipeline | JobFacts.Environment)]
    [TestCase("https://issuer.example", "somebody", "run_id=77 environment=prod pipeline_id=77", JobFacts.None)]
    public void Each_platform_attests_what_its_claims_say_and_nobody_elses_do(string issuer, string subject, string claims, JobFacts expected)
    {
        JobAttestation said = Of(issuer, subject, claims, JobContext.Unnamed);
        Assert.That(said.Attested, Is.EqualTo(expected));
        Assert.That(said.Job.Run, Is.EqualTo(expected.HasFlag(JobFacts.Run) ? "77" : null));
    }

    [Test]
    public void A_pod_is_a_run_by_its_uid_and_not_by_the_name_that_anybody_gave_it([Values("orders-1", Pod, null)] string? run)
    {
        JobAttestation said = JobAttestation.Of(OfPod(), new JobContext { Run = run }, JobFacts.None, Cluster);
        Assert.That((said.Attested, said.Job.Run), Is.EqualTo((run == "orders-1" ? JobFacts.None : JobFacts.Run, run ?? Pod)));
    }

    [TestCase("https://gitlab.acme.example", "project_path:acme/orders:ref_type:branch:ref:main", "project_path=acme/orders pipeline_id=77 job_id=2")]
    [TestCase("https://gitlab.com/acme/pages", "project_path:acme/orders:ref_type:branch:ref:main", "project_path=acme/orders pipeline_id=77 job_id=2")]
    [TestCase("https://github.acme.example/_services/token", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77")]
    [TestCase("https://token.actions.githubusercontent.com.acme.example/_services/token", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77")]
    [TestCase("https://tfe.acme.example", "organization:acme:project:p:workspace:w", "terraform_workspace_name=w terraform_run_id=77 terraform_run_phase=apply")]
    [TestCase("https://api.bitbucket.org/2.0/repositories/acme/orders/src/main/identity/oidc", "{a}:{b}", "pipelineUuid=77 stepUuid=s")]
    public void An_issuer_of_anybodys_attests_nothing_unless_the_target_names_it(string issuer, string subject, string claims)
    {
        JobAttestation unnamed = Of(issuer, subject, claims, JobContext.Unnamed);
        Assert.That((unnamed.Attested, unnamed.Job.Run), Is.EqualTo((JobFacts.None, (string?)null)));
        Assert.That(Of(issuer, subject, claims, JobContext.Unnamed, attestingIssuer: $"{issuer}/").Attested, Is.EqualTo(JobFacts.None), "character by character");
        JobAttestation named = Of(issuer, subject, claims, JobContext.Unnamed, JobFacts.Run, issuer);
        Assert.That((named.Attested & JobFacts.Run, named.Job.Run), Is.EqualTo((JobFacts.Run, "77")));
    }

    [TestCase("https://token.actions.githubusercontent.com/acme")]
    [TestCase("https://token.actions.acme.ghe.com")]
    public void GitHubs_own_issuers_need_no_name(string issuer) =>
        Assert.That(Of(issuer, "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77", Declared).Attested, Is.EqualTo(JobFacts.Run));

    [Test]
    public void Where_an_issuer_is_named_the_public_one_attests_nothing()
    {
        IdentityUnavailableException refused = Assert.Throws<IdentityUnavailableException>(() => Of(
            "https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=77", Declared, JobFacts.Run, "https://github.acme.example/_services/token"))!;
        Assert.That(refused.Code, Is.EqualTo("NHI2011"));
        Assert.That(refused.Message, Does.Contain("names issuer 'https://token.actions.githubusercontent.com', expected is 'https://github.acme.example/_services/token'").And.Contain("correct AttestingIssuer"));
    }

    [Test]
    public void An_issuer_that_nobody_named_is_refused_with_the_line_to_write()
    {
        IdentityUnavailableException refused = Assert.Throws<IdentityUnavailableException>(() => JobAttestation.Of(OfPod(), JobContext.Unnamed, JobFacts.Run, null))!;
        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo(("NHI2011", ExchangeStage.Attest, false)));
        Assert.That(refused.Message, Does.Contain($"(Kubernetes service account) names issuer '{Cluster}'").And.Contain($"\"AttestingIssuer\": \"{Cluster}\""));
    }

    [Test]
    public void A_claim_with_nothing_in_it_attests_nothing_and_is_not_taken()
    {
        const string Issuer = "https://gitlab.com", Subject = "project_path:acme/orders:ref_type:branch:ref:main", Claims = "job_id=2 pipeline_id= project_path= ci_config_ref_uri=acme/ci";
        JobAttestation said = Of(Issuer, Subject, Claims, JobContext.Unnamed);
        Assert.That((said.Attested, said.Job.Run, said.Job.Pipeline), Is.EqualTo((JobFacts.Pipeline | JobFacts.Task, (string?)null, "acme/ci")));
        Assert.That(() => Of(Issuer, Subject, Claims, JobContext.Unnamed, JobFacts.Run), Throws.TypeOf<IdentityUnavailableException>());
    }

    [Test]
    public void What_the_proof_contradicts_stays_only_said_unless_it_is_required()
    {
        JobAttestation said = Of("https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", "repository=acme/orders run_id=78 workflow_ref=nightly", Declared);
        Assert.That((said.Attested, said.Job.Run, said.Job.Pipeline), Is.EqualTo((JobFacts.None, "77", "orders-nightly")));
    }

    [Test]
    public async Task What_the_proof_contradicts_is_logged_once_and_not_at_each_refresh()
    {
        using var logged = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(
            source: IdentitySources.From((request, _) => new(Proofs.Token(Proofs.With(("aud", request.Audience.ToString()), ("run_id", "78"))))),
            more: b => b.Job(Declared).Logging(logged));
        BearerToken first = await job.Warehouse.GetAsync();
        job.Warehouse.Reject(first);
        await job.Warehouse.GetAsync();

        Assert.That(logged.Text.Split("says otherwise than the job is declared: Run is '78' there and '77' here."), Has.Length.EqualTo(2));
        Assert.That(job.Audit.Events.Select(e => (e.Job.Run, e.AttestedFacts)), Is.All.EqualTo(("77", JobFacts.None)));
    }

    [TestCase("repository=acme/orders run_id=78", JobFacts.Run, "Run", "claim 'run_id' of the proof (GitHub Actions) presents '78', expected is '77'", "leave it out")]
    [TestCase("repository=acme/orders run_id=77", JobFacts.Run | JobFacts.Environment, "Environment", "has no claim 'environment'", "in an environment of its platform")]
    [TestCase("repository=acme/orders run_id=77", JobFacts.Pipeline, "Pipeline", "has no claim 'workflow_ref'", "put the claim")]
    public void A_required_fact_that_is_not_attested_is_refused_with_claim_presented_expected_and_remedy(string claims, JobFacts required, string fact, string what, string remedy)
    {
        IdentityUnavailableException refused = Assert.Throws<IdentityUnavailableException>(() => Of("https://token.actions.githubusercontent.com", "repo:acme/orders:ref:refs/heads/main", claims, Declared, required))!;
        Assert.That((refused.Code, refused.Stage, refused.IsTransient), Is.EqualTo(("NHI2011", ExchangeStage.Attest, false)));
        Assert.That(refused.Message, Does.Contain($"requires the job's {fact} to be attested").And.Contain(what).And.Contain(remedy));
    }

    [Test]
    public void A_platform_that_attests_no_such_thing_and_none_at_all_are_told_apart()
    {
        Assert.That(() => Of("https://vstoken.dev.azure.com/x", "sc://acme/data/lake", "def_id=17", JobContext.Unnamed, JobFacts.Environment),
            Throws.TypeOf<IdentityUnavailableException>().With.Message.Contains("proofs of Azure DevOps attest no such thing").And.Message.Contains("run the job where it is attested: GitHub Actions, "));
        Assert.That(() => Of("https://issuer.example", "somebody", "run_id=77", Declared, JobFacts.Run),
            Throws.TypeOf<IdentityUnavailableException>().With.Message.Contains("of no platform whose claims are known"));
    }

    [Test]
    public async Task Policy_and_audit_hear_the_attested_run_and_that_it_is_attested()
    {
        AccessRequest? seen = null;
        await using TestJob job = await JobAsync(JobFacts.Run);
        job.Policy.Decide = asked =>
        {
            seen = asked;
            return AccessDecision.Permit("seen");
        };
        await job.Warehouse.GetAsync();

        Assert.That((seen!.AttestedFacts, seen.Job.Run, seen.Job.Dataset), Is.EqualTo((JobFacts.Run, "77", "orders")));
        Assert.That(job.Audit.Events.Select(e => (e.Job.Run, e.AttestedFacts)), Is.All.EqualTo(("77", JobFacts.Run)));
        Assert.That(job.Session.Context.Run, Is.Null);
    }

    [Test]
    public async Task Nothing_is_exchanged_where_a_required_fact_is_missing()
    {
        await using TestJob job = await JobAsync(JobFacts.Run | JobFacts.Environment);
        Assert.That(async () => await job.Warehouse.GetAsync(), Throws.TypeOf<IdentityUnavailableException>().With.Property("Code").EqualTo("NHI2011").And.Property("Target").EqualTo("warehouse"));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(job.Audit.Kinds, Is.EqualTo([AuditEventKind.Failed]));
    }

    [Test]
    public async Task A_person_and_an_opaque_proof_attest_nothing()
    {
        await using TestJob job = await TestJob.StartAsync(source: IdentitySources.From((_, _) => new(new SubjectToken("opaque-proof", SubjectTokenType.AccessToken))));
        await job.Warehouse.GetAsync();
        Assert.That(job.Audit.Events.Select(e => e.AttestedFacts), Is.All.EqualTo(JobFacts.None));

        AttestedProof person = ProofCheck.Check(Proofs.Token(Proofs.With(("upn", "ann@acme.example"))), new Audience(Proofs.Audience), ActsFor.PersonInDevelopment, Proofs.Now);
        Assert.That(person.Platform, Is.Null);
    }

    // The clock of the job starts where the proofs do. GitHub's proof says run 77; the job itself says no run.
    private static Task<TestJob> JobAsync(JobFacts required) => TestJob.StartAsync(
        target: t => t.AttestedFacts = required,
        source: IdentitySources.From((request, _) => new(Proofs.Token(Proofs.With(("aud", request.Audience.ToString()))))),
        more: b => b.Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "load" }));

    private static AttestedProof OfPod()
    {
        var said = new JsonObject { ["namespace"] = "etl", ["serviceaccount"] = new JsonObject { ["name"] = "orders" }, ["pod"] = new JsonObject { ["uid"] = Pod, ["name"] = "orders-1" } };
        return ProofCheck.Check(Proofs.Token(Proofs.Of(Cluster, "system:serviceaccount:etl:orders", ("kubernetes.io", said))), new Audience(Proofs.Audience), ActsFor.Proven, Proofs.Now);
    }

    private static JobAttestation Of(string issuer, string subject, string claims, JobContext declared, JobFacts required = JobFacts.None, string? attestingIssuer = null)
    {
        (string Name, JsonNode? Value)[] more = [.. claims.Split(' ').Select(claim => claim.Split('=')).Select(pair => (pair[0], (JsonNode?)pair[1]))];
        AttestedProof proof = ProofCheck.Check(Proofs.Token(Proofs.Of(issuer, subject, more)), new Audience(Proofs.Audience), ActsFor.Workload, Proofs.Now);
        return JobAttestation.Of(proof, declared, required, attestingIssuer);
    }
}
