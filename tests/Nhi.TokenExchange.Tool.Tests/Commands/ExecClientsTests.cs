using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Clients of others under <c>nhi exec</c>, as they are published: each works, and gets nothing after the job.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecClientsTests
{
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";

    private DoctoredJob _job = null!;

    [SetUp]
    public async Task StartAsync() => _job = await DoctoredJob.StartAsync();

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    // What the client got, which was revoked with the job.
    private void AssertRevoked(JsonObject within)
    {
        LedgerIssue issued = _job.Emulator.Ledger.Issued.Single();
        Assert.That(Ledger.FingerprintOf((string)within["token"]!), Is.EqualTo(issued.Fingerprint));
        Assert.That(issued.RevokedAt, Is.Not.Null);
    }

    [Test]
    public async Task Azures_default_credential_gets_a_managed_identity_whatever_the_platform_had_set()
    {
        _job.UseVault();

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(
            _job, "@azure/identity", ["--azure", "warehouse=https://storage.azure.com"], ["azure", "https://storage.azure.com/.default"], new Dictionary<string, string> { ["AZURE_CLIENT_ID"] = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f11", ["AZURE_TENANT_ID"] = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f12" });

        AssertRevoked(within);
        Assert.That((string)after["error"]!, Does.Contain("ManagedIdentityCredential"));
    }

    [TestCase("--target", "warehouse")]
    [TestCase("--aws-profile", "warehouse")]
    public async Task The_SDK_of_AWS_gets_a_session(string option, string value)
    {
        AwsRole role = _job.UseAws();

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(_job, "@aws-sdk/client-sts", [option, value], ["aws", _job.Emulator.Aws.Endpoint.AbsoluteUri]);

        Assert.That((string)within["arn"]!, Does.Contain($":assumed-role/{role.Arn.Split('/')[1]}/"));
        Assert.That(_job.Emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(new[] { UseVerdict.Accepted }));
        Assert.That((string)after["error"]!, Is.Not.Empty);
    }

    [TestCase("--google", "warehouse=loader@my-project.iam.gserviceaccount.com,my-project")]
    [TestCase("--google-adc", "warehouse=my-project")]
    public async Task Googles_library_gets_a_token(string option, string value)
    {
        PoolProvider pool = _job.Emulator.Google.AddProvider("jobs", "github");
        _job.Target = new JsonObject
        {
            ["Identity"] = "job", ["Exchange"] = "GoogleSts", ["Provider"] = pool.Name, ["StsEndpoint"] = _job.Emulator.Google.Endpoint.OriginalString.TrimEnd('/'), ["IamEndpoint"] = _job.Emulator.Google.Endpoint.OriginalString.TrimEnd('/'), ["Scopes"] = new JsonArray(Scope),
        };
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, $"https://iam.googleapis.com/{pool.Name}");

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(_job, "google-auth-library", [option, value], ["google", Scope]);

        Assert.That(Ledger.FingerprintOf((string)within["token"]!), Is.EqualTo(_job.Emulator.Ledger.Issued.Single().Fingerprint));
        Assert.That((string)within["project"]!, Is.EqualTo("my-project"));
        Assert.That((string)after["error"]!, Is.Not.Empty);
    }

    [Test]
    public async Task An_OAuth_library_discovers_exchanges_and_introspects_over_loopback()
    {
        _job.UseVault();

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(_job, "openid-client", ["--target", "warehouse", "--loopback"], ["openid", "warehouse"]);

        Assert.That((bool)within["active"]!, Is.True);
        AssertRevoked(within);
        Assert.That((string)after["error"]!, Does.Contain("ENOENT"), "its token is gone");
    }

    [Test]
    public async Task The_client_of_Kubernetes_gets_a_token_by_the_exec_plugin()
    {
        string ca = UseEntra();

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(_job, "@kubernetes/client-node", ["--kubectl", $"warehouse={_job.Emulator.AzureResource.Address.OriginalString.TrimEnd('/')},{ca}"], ["kubernetes", "/api/v1/pods"]);

        Assert.That((int)within["status"]!, Is.EqualTo(200));
        Assert.That(Ledger.FingerprintOf((string)within["token"]!), Is.EqualTo(_job.Emulator.Ledger.Issued.Single().Fingerprint));
        Assert.That((string)after["error"]!, Does.Contain("kubeconfig"), "its file is gone");
    }

    [Test]
    public async Task Kubectl_gets_a_token_by_the_exec_plugin()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "kubectl"))))
            Assert.Ignore("Skipped: kubectl is not on the path.");
        string ca = UseEntra();

        ToolRun run = await ToolRun.ProgramAsync(
            new Dictionary<string, string> { ["HOME"] = _job.PathOf(".") }, "exec", "--config", _job.WriteSettings(), "--kubectl", $"warehouse={_job.Emulator.AzureResource.Address.OriginalString.TrimEnd('/')},{ca}", "--", "sh", "-ec",
            $"kubectl config current-context; kubectl get --raw /api/v1/pods; cat \"$KUBECONFIG\" > {_job.PathOf("kubeconfig")}; env -0 > {_job.PathOf("environment")}");

        Assert.That(run.ExitCode, Is.Zero, run.All);
        Assert.That(run.Output, Does.StartWith("warehouse\n").And.Contain("\"path\":\"/api/v1/pods\""));
        Assert.That(_job.Emulator.Ledger.Uses.Select(use => (use.Verdict, use.Fingerprint)).Distinct(), Is.EqualTo(new[] { (UseVerdict.Accepted, _job.Emulator.Ledger.Issued.Single().Fingerprint) }));
        Dictionary<string, string> same = (await File.ReadAllTextAsync(_job.PathOf("environment"))).Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);
        same["KUBECONFIG"] = _job.PathOf("kubeconfig");
        (int code, string said) = await Programs.RunAsync("kubectl", same, "get", "--raw", "/api/v1/pods");
        Assert.That(code, Is.EqualTo(1), said);
        Assert.That(said, Does.Contain("has ended"));
    }

    [Test]
    public async Task Docker_calls_a_helper_for_the_registries_that_are_named_and_for_no_other()
    {
        _job.UseVault();

        ToolRun run = await ToolRun.ProgramAsync(
            new Dictionary<string, string>(), "exec", "--config", _job.WriteSettings(), "--docker", "warehouse=registry.example:5000", "--", "sh", "-c",
            """
            cat "$DOCKER_CONFIG/config.json"; echo
            docker-credential-nhi list; docker-credential-nhi version
            printf registry.example:5000 | docker-credential-nhi get
            printf https://registry.example:5000/ | docker-credential-nhi get
            printf elsewhere.example | docker-credential-nhi get; echo "code $?"
            printf '' | docker-credential-nhi get; echo "code $?"
            printf '{"ServerURL":"registry.example:5000","Username":"u","Secret":"s"}' | docker-credential-nhi store; echo "code $?"
            printf registry.example:5000 | docker-credential-nhi erase; echo "code $?"
            command -v docker-credential-nhi
            """);

        Assert.That(run.ExitCode, Is.Zero, run.All);
        string[] lines = run.Output.Trim().Split('\n');
        Assert.That(lines[..2], Is.EqualTo(new[] { """{"credHelpers":{"registry.example:5000":"nhi"}}""", """{"registry.example:5000":"oauth2accesstoken"}""" }));
        Assert.That(lines[2], Does.StartWith("docker-credential-nhi "));
        JsonNode first = JsonNode.Parse(lines[3])!, second = JsonNode.Parse(lines[4])!;
        Assert.That(((string)first["ServerURL"]!, (string)first["Username"]!, (string)second["ServerURL"]!), Is.EqualTo(("registry.example:5000", "oauth2accesstoken", "https://registry.example:5000/")));
        Assert.That(new[] { first, second }.Select(one => Ledger.FingerprintOf((string)one["Secret"]!)), Is.All.EqualTo(_job.Emulator.Ledger.Issued.Single().Fingerprint));
        Assert.That(lines[5..9], Is.EqualTo(new[] { "credentials not found in native keychain", "code 1", "no credentials server URL", "code 1" }));
        Assert.That(lines[9..^1], Has.Length.EqualTo(3).And.ItemAt(0).StartsWith("nothing is stored").And.ItemAt(1).EqualTo("code 1").And.ItemAt(2).EqualTo("code 0"));
        Assert.That(File.Exists(lines[^1]), Is.False, "the helper goes with the run");
        Assert.That(_job.Emulator.Ledger.Issued.Single().RevokedAt, Is.Not.Null);
    }

    // An API over TLS that verifies the token.
    private string UseEntra()
    {
        EntraApplication application = _job.UseEntra(DoctoredJob.Subject, ProofShape.Kubernetes);
        application.Trust(_job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject));
        return _job.PathOf("roots.pem");
    }
}
