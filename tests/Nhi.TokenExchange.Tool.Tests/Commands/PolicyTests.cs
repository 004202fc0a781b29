namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class PolicyTests
{
    private const string Policy = """
        { "version": 1, "revision": 3, "rules": [
          { "name": "orders-load", "effect": "permit", "when": { "target": "warehouse", "issuer": "https://issuer.example", "subject": "orders-nightly", "job": { "dataset": "orders" } }, "limits": { "longestHandOut": "00:15:00" } }
        ] }
        """;

    private const string Cases = """
        { "cases": [
          { "name": "the nightly load", "request": { "target": "warehouse", "issuer": "https://issuer.example", "subject": "orders-nightly", "job": { "dataset": "orders" } }, "expect": { "decision": "permit", "rule": "orders-load" } },
          { "name": "payments", "request": { "target": "warehouse", "issuer": "https://issuer.example", "subject": "orders-nightly", "job": { "dataset": "payments" } }, "expect": { "decision": "deny" } }
        ] }
        """;

    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync() => _job = await DoctoredJob.StartAsync();

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task Tests_of_a_policy_that_are_met_pass()
    {
        ToolRun run = await ToolRun.HereAsync("policy", "test", _job.Write("policy.json", Policy), _job.Write("cases.json", Cases));

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.Contain("2 case(s), 0 failed"));
    }

    [Test]
    public async Task A_test_that_is_not_met_fails_and_says_what_was_decided()
    {
        ToolRun run = await ToolRun.HereAsync("policy", "test", _job.Write("policy.json", Policy), _job.Write("cases.json", Cases.Replace("\"deny\"", "\"permit\"", StringComparison.Ordinal)));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Audit));
        Assert.That(run.Output, Does.Contain("FAILED payments (line 3): decision expected 'permit', was 'deny'"));
    }

    [Test]
    public async Task A_decision_is_explained()
    {
        string policy = _job.Write("policy.json", Policy), cases = _job.Write("cases.json", Cases);

        ToolRun denied = await ToolRun.HereAsync("policy", "explain", policy, cases, "--case", "payments");
        ToolRun permitted = await ToolRun.HereAsync("policy", "explain", policy, cases, "--case", "the nightly load");
        ToolRun unknown = await ToolRun.HereAsync("policy", "explain", policy, cases, "--case", "none");

        Assert.That(denied.ExitCode, Is.EqualTo(ExitCodes.Denied));
        Assert.That(denied.Output, Does.Contain("denied by rule 'default-deny'").And.Contain("nearest is 'orders-load': job.dataset expected 'orders', presented 'payments'"));
        Assert.That(permitted.ExitCode, Is.Zero);
        Assert.That(permitted.Output, Does.Contain("permitted by rule 'orders-load'").And.Contain("00:15:00"));
        Assert.That((unknown.ExitCode, unknown.Error), Is.EqualTo((ExitCodes.Usage, "--case: there is no case 'none'. There are: the nightly load, payments.\n")));
    }

    [Test]
    public async Task Lint_finds_what_is_broader_than_it_looks()
    {
        ToolRun clean = await ToolRun.HereAsync("policy", "lint", _job.Write("policy.json", Policy));
        ToolRun broad = await ToolRun.HereAsync("policy", "lint", _job.Write("broad.json", Policy.Replace("\"issuer\": \"https://issuer.example\", ", "", StringComparison.Ordinal)));

        Assert.That((clean.ExitCode, broad.ExitCode), Is.EqualTo((ExitCodes.Ok, ExitCodes.Audit)), broad.All + clean.All);
        Assert.That(broad.Output, Does.Contain("missing-issuer"));
    }

    [Test]
    public async Task A_policy_that_does_not_compile_is_told_by_line_and_column()
    {
        ToolRun run = await ToolRun.HereAsync("policy", "lint", _job.Write("policy.json", Policy.Replace("\"permit\"", "\"allow\"", StringComparison.Ordinal)));

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Configuration));
        Assert.That(run.Error, Does.Contain("NHI1006").And.Contain("policy.json(2,"));
    }
}
