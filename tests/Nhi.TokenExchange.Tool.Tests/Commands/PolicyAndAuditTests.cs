using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class PolicyAndAuditTests
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

    [Test]
    public async Task What_doctor_did_is_in_the_audit_which_verifies_and_tells_its_story()
    {
        _job.UseVault();
        string folder = _job.PathOf("audit");
        _job.Section["Audit"] = new JsonObject { ["Folder"] = folder };
        Findings found = await _job.DoctorAsync();

        ToolRun verified = await ToolRun.HereAsync("audit", "verify", folder, "--ended");
        ToolRun story = await ToolRun.HereAsync("audit", "story", folder, "--pipeline", "orders-nightly", "--target", "warehouse");
        ToolRun others = await ToolRun.HereAsync("audit", "story", folder, "--pipeline", "another");

        Assert.That((found.Run.ExitCode, verified.ExitCode, story.ExitCode), Is.EqualTo((0, 0, 0)), found.Run.All + verified.All);
        string fingerprint = _job.Emulator.Ledger.Issued.Single().Fingerprint;
        Assert.That(story.Output, Does.Contain($"warehouse issued: {fingerprint}").And.Contain($"warehouse revoked: {fingerprint}"));
        Assert.That(others.Output, Is.Empty);
    }

    [Test]
    public async Task An_audit_in_which_a_character_was_changed_does_not_verify()
    {
        _job.UseVault();
        string folder = _job.PathOf("audit");
        _job.Section["Audit"] = new JsonObject { ["Folder"] = folder };
        await _job.DoctorAsync();
        string file = Directory.GetFiles(folder).Single();
        await File.WriteAllTextAsync(file, (await File.ReadAllTextAsync(file)).Replace("orders-nightly", "orders-nightlY", StringComparison.Ordinal));

        ToolRun run = await ToolRun.HereAsync("audit", "verify", folder);

        Assert.That(run.ExitCode, Is.EqualTo(ExitCodes.Audit));
        Assert.That(run.Output, Does.Contain("was changed"));
    }

    [Test]
    public async Task A_folder_without_a_trail_is_a_failure_unless_that_is_allowed()
    {
        string folder = Directory.CreateDirectory(_job.PathOf("mistyped")).FullName;

        ToolRun verified = await ToolRun.HereAsync("audit", "verify", folder), story = await ToolRun.HereAsync("audit", "story", folder);
        ToolRun allowed = await ToolRun.HereAsync("audit", "verify", folder, "--allow-empty", "--ended");

        Assert.That((verified.ExitCode, story.ExitCode, allowed.ExitCode), Is.EqualTo((ExitCodes.Audit, ExitCodes.Audit, 0)), verified.All);
        Assert.That(verified.Output, Does.Contain("NOTHING TO VERIFY"));
        Assert.That(verified.Error, Does.Contain(folder).And.Contain("*.audit.jsonl").And.Contain("--allow-empty"));
        Assert.That(story.Error, Does.Contain(folder).And.Contain("*.audit.jsonl"));
        Assert.That(allowed.Error, Is.Empty);
    }

    [Test]
    public async Task An_audit_that_is_not_there_and_an_anchor_of_another_form_are_told()
    {
        ToolRun none = await ToolRun.HereAsync("audit", "verify", _job.PathOf("nothing"));
        ToolRun anchor = await ToolRun.HereAsync("audit", "verify", _job.PathOf(""), "--anchor", "abc");

        Assert.That(none.ExitCode, Is.EqualTo(ExitCodes.Audit), none.All);
        Assert.That(none.Error, Does.Contain("NHI6010"));
        Assert.That(anchor.ExitCode, Is.EqualTo(ExitCodes.Usage), anchor.All);
        Assert.That(anchor.Error, Does.Contain("--anchor"));
    }
}
