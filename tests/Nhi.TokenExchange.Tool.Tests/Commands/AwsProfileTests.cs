using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary><c>nhi exec --aws-profile</c>: profiles of AWS whose credentials come from a helper.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class AwsProfileTests
{
    // Runs the line of the file as an SDK does.
    private const string RunsTheLine = "sh -c \"$(sed -n 's/^credential_process = //p' \"$AWS_CONFIG_FILE\" | head -n 1)\"";

    private static readonly Dictionary<string, string> NoVariables = [];

    private static Task<ToolRun> ExecAsync(DoctoredJob job, string script, IReadOnlyDictionary<string, string>? variables = null) =>
        ToolRun.ProgramAsync(variables ?? NoVariables, "exec", "--config", job.WriteSettings(), "--aws-profile", "warehouse", "--", "sh", "-c", script);

    [Test]
    public async Task The_process_of_a_profile_gives_a_session_and_the_program_has_none_in_its_environment()
    {
        await using DoctoredJob job = await DoctoredJob.StartAsync();
        job.UseAws();

        ToolRun run = await ExecAsync(job, $"env >&2; {RunsTheLine}");

        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var session = (JsonObject)JsonNode.Parse(run.Output)!;
        Assert.That(session.Select(field => field.Key), Is.EqualTo(new[] { "Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration" }));
        Assert.That(DateTimeOffset.Parse((string)session["Expiration"]!, System.Globalization.CultureInfo.InvariantCulture), Is.GreaterThan(TimeProvider.System.GetUtcNow()));
        Assert.That(run.Error, Does.Contain("NHI_BROKER=unix:/").And.Not.Contain("AWS_CONTAINER").And.Not.Contain((string)session["AccessKeyId"]!));
        Assert.That(job.Emulator.Ledger.Issued, Has.Exactly(1).Items);
    }

    [Test]
    public async Task The_aws_command_uses_it_and_no_key_of_the_users_own_files()
    {
        ExecClients.Require("aws");
        await using DoctoredJob job = await DoctoredJob.StartAsync();
        AwsRole role = job.UseAws();
        string own = job.Write("credentials", "[default]\naws_access_key_id = wrong-key\naws_secret_access_key = not-a-key\n[warehouse]\naws_access_key_id = wrong-key\naws_secret_access_key = not-a-key\n");

        ToolRun run = await ExecAsync(job, $"aws sts get-caller-identity --output text --query Arn --endpoint-url {job.Emulator.Aws.Endpoint.AbsoluteUri}", new Dictionary<string, string> { ["AWS_SHARED_CREDENTIALS_FILE"] = own });

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.StartWith($"{role.Arn.Replace(":iam:", ":sts:", StringComparison.Ordinal).Replace(":role/", ":assumed-role/", StringComparison.Ordinal)}/"));
        Assert.That(job.Emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(new[] { UseVerdict.Accepted }));
    }

    [Test]
    public async Task The_aws_command_uses_a_containers_credentials_and_no_key_of_the_users_own_files_either()
    {
        ExecClients.Require("aws");
        await using DoctoredJob job = await DoctoredJob.StartAsync();
        AwsRole role = job.UseAws();
        Directory.CreateDirectory(job.PathOf(".aws"));
        job.Write(".aws/credentials", "[default]\naws_access_key_id = wrong-key\naws_secret_access_key = not-a-key\n");
        job.Write(".aws/config", "[default]\nregion = us-east-1\n");

        ToolRun run = await ToolRun.ProgramAsync(
            new Dictionary<string, string> { ["HOME"] = job.PathOf(".") }, "exec", "--config", job.WriteSettings(), "--target", "warehouse", "--", "aws", "sts", "get-caller-identity", "--output", "text", "--query", "Arn", "--endpoint-url", job.Emulator.Aws.Endpoint.AbsoluteUri);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.Contain($":assumed-role/{role.Arn.Split('/')[1]}/"));
        Assert.That(job.Emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(new[] { UseVerdict.Accepted }));
    }

    [Test]
    public async Task A_helper_says_why_it_gives_nothing()
    {
        await using DoctoredJob job = await DoctoredJob.StartAsync();
        job.UseAws().Conditions["sub"] = "another";

        ToolRun refused = await ExecAsync(job, RunsTheLine);
        ToolRun outside = await ToolRun.HereAsync("helper", "aws", "warehouse");
        ToolRun afterwards = await ToolRun.ProgramAsync(new Dictionary<string, string> { ["NHI_BROKER"] = "unix:/nowhere/broker.sock", ["NHI_BROKER_TOKEN_FILE"] = job.PathOf("gone") }, "helper", "aws", "warehouse");

        Assert.That((refused.ExitCode, outside.ExitCode, afterwards.ExitCode), Is.EqualTo((1, 1, 1)));
        Assert.That(refused.Output + outside.Output + afterwards.Output, Is.Empty);
        Assert.That(refused.Error, Does.Contain("nhi: ").And.Contain("AccessDenied"));
        Assert.That(outside.Error, Does.Contain("NHI_BROKER and NHI_BROKER_TOKEN_FILE are not set"));
        Assert.That(afterwards.Error, Does.Contain("has ended"));
    }
}
