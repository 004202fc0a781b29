using System.Runtime.Versioning;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>Clients of others under <c>nhi exec</c>, as they are published: each works, and gets nothing after the job.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class ExecClientsTests
{
    private const string Scope = "https://www.googleapis.com/auth/cloud-platform";
    private const string Account = "loader@my-project.iam.gserviceaccount.com";

    // A program that asks AWS who it is.
    private const string WhoAmI = """
        import boto3, sys
        try:
            print(boto3.client("sts", endpoint_url=sys.argv[1]).get_caller_identity()["Arn"])
        except Exception as failed:
            sys.exit(f"{type(failed).__name__}: {failed}")
        """;

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

    [TestCase("--target", "CredentialRetrievalError|NoCredentialsError|FileNotFoundError")]
    [TestCase("--aws-profile", "ProfileNotFound")]
    public async Task Pythons_SDK_of_AWS_gets_a_session_and_uses_no_key_of_the_users_own_files(string option, string refusal)
    {
        if ((await Programs.RunAsync("python3", new Dictionary<string, string> { ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "" }, "-c", "import boto3")).ExitCode != 0)
            Assert.Ignore("Skipped: boto3 is not installed.");
        AwsRole role = _job.UseAws();
        var own = new Dictionary<string, string> { ["AWS_SHARED_CREDENTIALS_FILE"] = _job.Write("credentials", "[default]\naws_access_key_id = wrong-key\naws_secret_access_key = not-a-key\n") };

        (ToolRun within, int code, string after) = await ExecClients.RunAsync(_job, [option, "warehouse"], ["python3", _job.Write("whoami.py", WhoAmI), _job.Emulator.Aws.Endpoint.AbsoluteUri], own);

        Assert.That(within.ExitCode, Is.Zero, within.All);
        Assert.That(within.Output, Does.Contain($":assumed-role/{role.Arn.Split('/')[1]}/"));
        Assert.That(_job.Emulator.Ledger.Uses.Select(use => use.Verdict), Is.EqualTo(new[] { UseVerdict.Accepted }));
        Assert.That(code, Is.EqualTo(1), after);
        Assert.That(after, Does.Match(refusal));
    }

    [TestCase("--google", $"warehouse={Account},my-project")]
    [TestCase("--google-adc", "warehouse=my-project")]
    public async Task Googles_library_gets_a_token(string option, string value)
    {
        UseGoogle();

        (JsonObject within, JsonObject after) = await NodeClients.RunAsync(_job, "google-auth-library", [option, value], ["google", Scope]);

        Assert.That(Ledger.FingerprintOf((string)within["token"]!), Is.EqualTo(_job.Emulator.Ledger.Issued.Single().Fingerprint));
        Assert.That((string)within["project"]!, Is.EqualTo("my-project"));
        Assert.That((string)after["error"]!, Is.Not.Empty);
    }

    [Test]
    public async Task Gcloud_takes_the_account_of_the_metadata_server_and_none_of_the_users_own()
    {
        ExecClients.Require("gcloud");
        UseGoogle();
        Directory.CreateDirectory(_job.PathOf("gcloud"));
        var own = new Dictionary<string, string> { ["CLOUDSDK_CONFIG"] = _job.PathOf("gcloud"), ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"] = _job.Write("own", "own") };
        string script = _job.Write("gcloud.sh", "set -e\ngcloud config get-value account\ngcloud config get-value project\ngcloud auth print-access-token\n");

        (ToolRun within, int code, string after) = await ExecClients.RunAsync(_job, ["--google", $"warehouse={Account},my-project"], ["sh", script], own);
        string folder = Path.GetDirectoryName(File.ReadAllText(_job.PathOf("environment")).Split('\0').Single(one => one.StartsWith("CLOUDSDK_CONFIG=", StringComparison.Ordinal)).Split('=')[1])!;
        if (Path.GetFileName(folder).StartsWith("nhi-exec-", StringComparison.Ordinal))
            Directory.Delete(folder, recursive: true);   // gcloud made it anew

        Assert.That(within.ExitCode, Is.Zero, within.All);
        string[] said = within.Output.Trim().Split('\n');
        Assert.That(said[..^1], Is.EqualTo(new[] { Account, "my-project" }));
        Assert.That(Ledger.FingerprintOf(said[^1]), Is.EqualTo(_job.Emulator.Ledger.Issued.Single().Fingerprint));
        Assert.That(Path.GetFileName(folder), Does.StartWith("nhi-exec-"));
        Assert.That(code, Is.EqualTo(1), after);
        Assert.That(after, Does.Contain("You do not currently have an active account selected"));
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
        ExecClients.Require("kubectl");
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

    private void UseGoogle()
    {
        PoolProvider pool = _job.Emulator.Google.AddProvider("jobs", "github");
        string endpoint = _job.Emulator.Google.Endpoint.OriginalString.TrimEnd('/');
        _job.Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "GoogleSts", ["Provider"] = pool.Name, ["StsEndpoint"] = endpoint, ["IamEndpoint"] = endpoint, ["Scopes"] = new JsonArray(Scope) };
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, $"https://iam.googleapis.com/{pool.Name}");
    }

    // An API over TLS that verifies the token.
    private string UseEntra()
    {
        EntraApplication application = _job.UseEntra(DoctoredJob.Subject, ProofShape.Kubernetes);
        application.Trust(_job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject));
        return _job.PathOf("roots.pem");
    }
}
