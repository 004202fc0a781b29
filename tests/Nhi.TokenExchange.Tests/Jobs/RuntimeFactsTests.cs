using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

/// <summary>What the place where a job runs says of it, and where each fact of a job was said.</summary>
internal sealed class RuntimeFactsTests
{
    private const string GitHub = "GITHUB_ACTIONS=true GITHUB_WORKFLOW_REF=acme/orders/.github/workflows/nightly.yml@refs/heads/main GITHUB_RUN_ID=77 GITHUB_JOB=load";

    [TestCase(GitHub, "pipeline acme/orders/.github/workflows/nightly.yml@refs/heads/main (GITHUB_WORKFLOW_REF), run 77 (GITHUB_RUN_ID)")]
    [TestCase("GITLAB_CI=true CI_PROJECT_PATH=acme/orders CI_PIPELINE_ID=77 CI_JOB_ID=9 CI_ENVIRONMENT_NAME=prod", "pipeline acme/orders (CI_PROJECT_PATH), run 77 (CI_PIPELINE_ID), task 9 (CI_JOB_ID), environment prod (CI_ENVIRONMENT_NAME)")]
    [TestCase("TF_BUILD=True SYSTEM_HOSTTYPE=build SYSTEM_DEFINITIONID=17 BUILD_BUILDID=77 SYSTEM_JOBID=j ENVIRONMENT_NAME=prod", "pipeline 17 (SYSTEM_DEFINITIONID), run 77 (BUILD_BUILDID), task j (SYSTEM_JOBID), environment prod (ENVIRONMENT_NAME)")]
    [TestCase("TF_BUILD=True SYSTEM_HOSTTYPE=release SYSTEM_DEFINITIONID=17 BUILD_BUILDID=77", "unnamed job")]
    [TestCase("KUBERNETES_SERVICE_HOST=10.0.0.1 JOB_COMPLETION_INDEX=3 POD_NAME=orders-1 HOSTNAME=orders-1", "task 3 (JOB_COMPLETION_INDEX)")]
    [TestCase("KUBERNETES_SERVICE_HOST=10.0.0.1 JOB_COMPLETION_INDEX=3 " + GitHub, "pipeline acme/orders/.github/workflows/nightly.yml@refs/heads/main (GITHUB_WORKFLOW_REF), run 77 (GITHUB_RUN_ID)")]
    [TestCase("DATABRICKS_RUNTIME_VERSION=17.3 DB_CLUSTER_NAME=job-1-run-2", "unnamed job")]
    [TestCase("GITHUB_RUN_ID=77 CI_PIPELINE_ID=77 BUILD_BUILDID=77 JOB_COMPLETION_INDEX=3", "unnamed job")]
    [TestCase("GITHUB_ACTIONS=false GITHUB_RUN_ID=77", "unnamed job")]
    [TestCase("", "unnamed job")]
    public void Each_platform_says_what_it_is_documented_to_set_and_nothing_else_is_taken(string variables, string expected) =>
        Assert.That(RuntimeFacts.Read(Variables(variables)).ToString(), Is.EqualTo(expected));

    [TestCase("7\n7")]
    [TestCase("  ")]
    public void What_would_break_a_line_of_the_audit_or_says_nothing_is_not_taken(string value) =>
        Assert.That(RuntimeFacts.Read(name => name == "GITHUB_ACTIONS" ? "true" : value), Is.SameAs(JobContext.Unnamed));

    [Test]
    public void A_value_longer_than_any_name_is_not_taken() =>
        Assert.That(
            new[] { 1000, 1001 }.Select(length => RuntimeFacts.Read(name => name == "GITHUB_ACTIONS" ? "true" : name == "GITHUB_RUN_ID" ? new string('7', length) : null).Run?.Length),
            Is.EqualTo(new int?[] { 1000, null }));

    [Test]
    public async Task Code_wins_over_configuration_and_both_over_the_runtime_and_each_fact_tells_which()
    {
        await using JobSession job = await StartAsync("""{ "Pipeline": "orders-weekly", "Task": "load" }""", GitHub, b => b.Job(new JobContext { Pipeline = "orders-nightly", Purpose = "load" }));

        Assert.That(job.Context.ToString(), Is.EqualTo("pipeline orders-nightly, run 77 (GITHUB_RUN_ID), task load, purpose load"));
        Assert.That(job.Context.Origins, Is.EquivalentTo(new Dictionary<string, string>
        {
            ["Pipeline"] = "code", ["Run"] = "variable GITHUB_RUN_ID of GitHub Actions", ["Task"] = "configuration", ["Purpose"] = "code",
        }));
    }

    [TestCase("""{ "FromRuntime": false }""", null, null)]
    [TestCase("""{ "FromRuntime": true }""", false, null)]
    [TestCase("""{ "FromRuntime": false }""", true, "77")]
    [TestCase("""{ "FromRuntime": true }""", null, "77")]
    [TestCase("""{ "Dataset": "orders" }""", null, "77")]
    public async Task Reading_the_runtime_is_switched_off_by_setting_or_by_code_which_wins(string section, bool? code, string? expected)
    {
        await using JobSession job = await StartAsync(section, GitHub, b =>
        {
            if (code is { } enabled)
                b.JobFromRuntime(enabled);
        });
        Assert.That(job.Context.Run, Is.EqualTo(expected));
    }

    [Test]
    public async Task The_start_of_the_job_and_every_audit_event_tell_value_and_origin()
    {
        using var logged = new LoggedText();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Job(new JobContext { Dataset = "orders" }).RuntimeVariables(Variables(GitHub)).Logging(logged));
        await job.Warehouse.GetAsync();
        await job.Session.CompleteAsync();

        Assert.That(logged.Text, Does.Contain("Job started: pipeline acme/orders/.github/workflows/nightly.yml@refs/heads/main (GITHUB_WORKFLOW_REF), run 77 (GITHUB_RUN_ID), dataset orders; targets warehouse"));
        Assert.That(job.Audit.Kinds, Is.SupersetOf(new[] { AuditEventKind.Attested, AuditEventKind.Exchanging, AuditEventKind.Issued, AuditEventKind.Revoked }));
        Assert.That(job.Audit.Events.Select(e => (e.Job.Run, e.Job.Origins["Run"], e.Job.Origins["Dataset"])), Is.All.EqualTo(("77", "variable GITHUB_RUN_ID of GitHub Actions", "code")));
    }

    [Test]
    public async Task A_job_of_a_factory_says_its_own_run_and_has_the_rest_from_the_runtime()
    {
        SessionPlan plan = Compose(new TokenExchangeBuilder(), "{ }", GitHub, null).Freeze();
        await using var factory = new JobSessionFactory(plan);
        await using JobSession one = await factory.StartAsync(new JobContext { Run = "nightly-1" });
        await using JobSession two = await factory.StartAsync(new JobContext { Run = "nightly-2" });

        Assert.That((one.Context.Run, two.Context.Run, two.Context.Pipeline), Is.EqualTo(("nightly-1", "nightly-2", "acme/orders/.github/workflows/nightly.yml@refs/heads/main")));
        Assert.That(two.Context.Origins["Run"], Is.EqualTo("code"));
    }

    [Test]
    public void A_variable_that_says_Development_lets_no_persons_proof_in()
    {
        var builder = new TokenExchangeBuilder();
        builder.RuntimeVariables(Variables("GITLAB_CI=true CI_ENVIRONMENT_NAME=Development"))
            .Identity("me", IdentitySources.OidcEnvironmentVariable("TOKEN"), ActsFor.PersonInDevelopment)
            .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example")), "me", "sql");
        Assert.That(builder.Freeze, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("acts for a person, while the job's environment is not said"));
    }

    [Test]
    public void A_variable_that_says_production_refuses_test_issuers()
    {
        var builder = new TokenExchangeBuilder();
        builder.RuntimeVariables(Variables("GITLAB_CI=true CI_ENVIRONMENT_NAME=production"))
            .Identity("job", IdentitySources.OidcEnvironmentVariable("TOKEN"))
            .Target("warehouse", Targets.Rfc8693(new Uri("https://issuer.invalid")), "job", "read");
        Assert.That(builder.Freeze, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("while the job's environment is production"));
    }

    internal static Func<string, string?> Variables(string text)
    {
        var variables = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1], StringComparer.Ordinal);
        return name => variables.GetValueOrDefault(name);
    }

    private static Task<JobSession> StartAsync(string section, string variables, Action<TokenExchangeBuilder>? more) =>
        JobSession.StartAsync(b => Compose(b.EndOnSignals(false), section, variables, more));

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder builder, string job, string variables, Action<TokenExchangeBuilder>? more)
    {
        string json = $$"""
            { "TokenExchange": { "Job": {{(job == "{ }" ? """{ "Dataset": "orders" }""" : job)}},
              "Identities": { "job": { "Source": "GitHubActions" } },
              "Targets": { "warehouse": { "Identity": "job", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [ "sql" ] } } } }
            """;
        using var stream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json));
        builder.Configuration(new ConfigurationBuilder().AddJsonStream(stream).Build().GetSection("TokenExchange")).RuntimeVariables(Variables(variables));
        more?.Invoke(builder);
        return builder;
    }
}
