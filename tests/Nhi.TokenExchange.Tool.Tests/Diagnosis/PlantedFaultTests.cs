using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tool.Tests;

/// <summary>The twenty of docs/doctor-faults.md, each planted alone; the names begin with its number there.</summary>
[NonParallelizable]
public class PlantedFaultTests
{
    private const string GitHub = "repo:octo/orders:ref:refs/heads/main";

    private DoctoredJob _job = null!;
    private Random _chance = null!;

    [SetUp]
    public async Task StartAsync()
    {
        int seed = TestContext.CurrentContext.Random.Next();
        await TestContext.Out.WriteLineAsync($"seed {seed}");
        _chance = new Random(seed);
        _job = await DoctoredJob.StartAsync();
    }

    [TearDown]
    public async Task EndAsync() => await _job.DisposeAsync();

    [Test]
    public async Task F00_Where_nothing_is_wrong_nothing_is_found()
    {
        _job.UseDatabricks();

        Findings found = await _job.DoctorAsync();

        Assert.That((found.Run.ExitCode, found.Failed.Count()), Is.EqualTo((0, 0)), found.Run.All);
        Assert.That(found.Stages.Select(stage => (string)stage["stage"]!), Is.SupersetOf(new[] { "settings", "runtime", "identity", "claims", "audience", "connect", "clock", "policy", "exchange", "trust", "scope", "life", "revocation", "questions" }));
    }

    [Test]
    public async Task F01_A_misspelt_name()
    {
        _job.UseDatabricks();
        _job.Target["Identity"] = "job".Insert(_chance.Next(0, 4), ((char)_chance.Next('a', 'z' + 1)).ToString());

        (await _job.DoctorAsync()).AssertNames("settings", "NHI1001", ExitCodes.Configuration, "TokenExchange:Targets:warehouse:Identity", "Did you mean 'job'?");
    }

    [Test]
    public async Task F02_A_static_secret()
    {
        _job.UseDatabricks();
        string secret = Guid.NewGuid().ToString("N");
        _job.Target["ClientSecret"] = secret;

        Findings found = await _job.DoctorAsync();

        found.AssertNames("settings", "NHI1002", ExitCodes.Configuration, "TokenExchange:Targets:warehouse:ClientSecret", "\"Identity\"");
        Assert.That(found.Run.All, Does.Not.Contain(secret));
    }

    [Test]
    public async Task F03_The_job_is_revoked()
    {
        _job.UseDatabricks();
        _job.Section["KillSwitch"] = _job.Write("stop", "a drill\n");

        (await _job.DoctorAsync()).AssertNames("start", "NHI7002", ExitCodes.Ended, "a drill", _job.PathOf("stop"));
    }

    [Test]
    public async Task F04_No_proof()
    {
        _job.UseDatabricks();
        _job.IdentityEntry["Path"] = _job.PathOf("nothing");

        (await _job.DoctorAsync()).AssertNames("identity", "NHI2001", ExitCodes.Refused, _job.PathOf("nothing"), "ount");
    }

    [Test]
    public async Task F05_An_issuer_that_cannot_give_short_lives()
    {
        _job.UseDatabricks();
        _job.Section["Policy"] = new JsonObject { ["File"] = _job.Write("policy.json", Policy("""{ "longestHandOut": "00:05:00", "refuseLongerLife": true }""")) };

        (await _job.DoctorAsync()).AssertNames("life", "NHI5008", ExitCodes.Refused, "refuseLongerLife", "00:05:00 at most", "in 00:59:5");
    }

    [Test]
    public async Task F06_An_old_proof()
    {
        DateTimeOffset end = TimeProvider.System.GetUtcNow() - TimeSpan.FromSeconds(_chance.Next(1, 100_000));
        _job.UseDatabricks(change: claims => claims.Lives(end - TimeSpan.FromHours(1), TimeSpan.FromHours(1)));

        (await _job.DoctorAsync()).AssertNames("claims", "NHI2003", ExitCodes.Refused, $"{end:yyyy-MM-ddTHH:mm:ss}", "renews it");
    }

    [Test]
    public async Task F07_A_persons_proof()
    {
        _job.UseDatabricks(change: claims => claims.Payload["preferred_username"] = "ada");

        (await _job.DoctorAsync()).AssertNames("claims", "NHI2006", ExitCodes.Refused, "preferred_username");
    }

    [Test]
    public async Task F08_A_proof_for_somebody_else()
    {
        _job.UseDatabricks();
        string right = _job.Emulator.Databricks.TokenEndpoint.OriginalString;
        string wrong = _chance.Next(3) switch { 0 => $"{right}/", 1 => right.Replace("token", "Token", StringComparison.Ordinal), _ => right.Replace("/v1/", "/v2/", StringComparison.Ordinal) };
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, wrong);

        (await _job.DoctorAsync()).AssertNames("audience", "NHI2005", ExitCodes.Refused, $"'{wrong}'", $"'{right}'", "first differ at character");
    }

    [Test]
    public async Task F09_Clocks_that_differ()
    {
        await _job.DisposeAsync();
        _job = await DoctoredJob.StartAsync(new AheadTime(TimeSpan.FromMinutes(10)));
        _job.UseDatabricks(change: claims => claims.Lives(TimeProvider.System.GetUtcNow(), TimeSpan.FromMinutes(5)));

        (await _job.DoctorAsync()).AssertNames("clock", "NHI4011", ExitCodes.Refused, " s ahead of this machine's", "clock");
    }

    [Test]
    public async Task F10_A_name_that_is_not_there()
    {
        _job.UseDatabricks();
        _job.Target["Host"] = "https://workspace.test";
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, "https://workspace.test/oidc/v1/token");
        _job.Target["AllowHost"] = "workspace.test";

        (await _job.DoctorAsync()).AssertNames("dns", "NHI4002", ExitCodes.Passing, "workspace.test");
    }

    [Test]
    public async Task F11_An_authority_that_nobody_trusts()
    {
        _job.UseEntra(GitHub, ProofShape.GitHub).Trust(_job.Emulator.JobIdentity(ProofShape.GitHub, GitHub));
        _job.Section.Remove("TrustRoots");

        (await _job.DoctorAsync()).AssertNames("tls", "NHI4002", ExitCodes.Passing, "localhost", "TrustRoots");
    }

    [Test]
    public async Task F12_A_proxy_that_is_not_there()
    {
        _job.UseDatabricks();
        _job.Target["Host"] = "https://workspace.test";
        _job.Target["AllowHost"] = "workspace.test";
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, "https://workspace.test/oidc/v1/token");

        ToolRun run = await ToolRun.ProgramAsync(new Dictionary<string, string> { ["https_proxy"] = "http://user:canary@127.0.0.1:9", ["no_proxy"] = "" }, "doctor", "--json", "--config", _job.WriteSettings());

        Findings.Of(run).AssertNames("proxy", "NHI4002", ExitCodes.Passing, "127.0.0.1:9", "https_proxy");
        Assert.That(run.All, Does.Not.Contain("canary"), "the proxy's password");
    }

    [Test]
    public async Task F13_The_policy_denies()
    {
        _job.UseDatabricks();
        _job.Section["Policy"] = new JsonObject { ["File"] = _job.Write("policy.json", Policy()) };
        _job.Section["Job"]!["Dataset"] = "payments";

        (await _job.DoctorAsync()).AssertNames("policy", "NHI3001", ExitCodes.Denied, "orders-load", "expected 'orders', presented 'payments'");
    }

    [Test]
    public async Task P62_F14_The_two_subjects_of_GitHub()
    {
        (int owner, int name) = (_chance.Next(1, 1_000_000), _chance.Next(1, 1_000_000));
        string older = $"repo:octo-{owner}/orders:ref:refs/heads/main", newer = $"repo:octo-{owner}@{owner}/orders@{name}:ref:refs/heads/main";
        (string trusted, string presented) = _chance.Next(2) == 0 ? (older, newer) : (newer, older);
        ServicePrincipal principal = _job.UseDatabricks(presented, ProofShape.GitHub);
        _job.IdentityEntry["ActsFor"] = "Workload";
        principal.Policies[0] = principal.Policies[0] with { Subject = trusted };

        (await _job.DoctorAsync("--trusted-subject", trusted)).AssertNames(
            "trust", "NHI4011", ExitCodes.Refused, $"expected is '{trusted}', presented '{presented}'", "GitHub has two forms of one subject", "databricks account service-principal-federation-policy create");
    }

    [Test]
    public async Task F15_A_slash()
    {
        ServicePrincipal principal = _job.UseDatabricks();
        string field = new[] { "issuer", "subject", "audience" }[_chance.Next(3)];
        string issuer = _job.Emulator.Issuer.OriginalString, audience = _job.Emulator.Databricks.TokenEndpoint.OriginalString;
        (string trusted, principal.Policies[0]) = field switch
        {
            "issuer" => ($"{issuer}/", principal.Policies[0] with { Issuer = $"{issuer}/" }),
            "subject" => ($"{DoctoredJob.Subject}/", principal.Policies[0] with { Subject = $"{DoctoredJob.Subject}/" }),
            _ => ($"{audience}/", principal.Policies[0] with { Audiences = [$"{audience}/"] }),
        };

        (await _job.DoctorAsync($"--trusted-{field}", trusted)).AssertNames(
            "trust", "NHI4011", ExitCodes.Refused, $"The trust's {field} '{trusted}'", "they differ in the slash at the end only", "databricks account service-principal-federation-policy create");
    }

    [Test]
    public async Task F16_Upper_and_lower_case()
    {
        EntraApplication application = _job.UseEntra(GitHub, ProofShape.GitHub);
        int[] letters = [.. Enumerable.Range(0, GitHub.Length).Where(at => char.IsAsciiLetterLower(GitHub[at]))];
        int at = letters[_chance.Next(letters.Length)];
        string trusted = $"{GitHub[..at]}{char.ToUpperInvariant(GitHub[at])}{GitHub[(at + 1)..]}";
        application.FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = _job.Emulator.Issuer.OriginalString, Subject = trusted });

        (await _job.DoctorAsync("--trusted-subject", trusted)).AssertNames(
            "trust", "NHI4014", ExitCodes.Refused, "they differ in upper and lower case only", $"first difference at position {at}:", "az ad app federated-credential create --id");
    }

    [Test]
    public async Task F17_The_two_subjects_of_Azure_DevOps()
    {
        int connection = _chance.Next();
        string older = $"sc://octo/data/warehouse-{connection}", newer = $"/eid1/c/pub/t/{connection}/a/{connection}/sc/{connection}/{connection}";
        (string trusted, string presented) = _chance.Next(2) == 0 ? (older, newer) : (newer, older);
        _job.UseEntra(presented, ProofShape.AzureDevOpsConnection).FederatedCredentials.Add(new FederatedIdentityCredential { Issuer = _job.Emulator.Issuer.OriginalString, Subject = trusted });

        (await _job.DoctorAsync("--trusted-subject", trusted)).AssertNames(
            "trust", "NHI4014", ExitCodes.Refused, "Azure DevOps has two forms of one subject", $"expected is '{trusted}', presented '{presented}'", "az ad app federated-credential create --id");
    }

    [Test]
    public async Task F18_Another_branch()
    {
        string trusted = $"repo:octo/orders:ref:refs/heads/release-{_chance.Next()}";
        AwsRole role = _job.Emulator.Aws.AddRole("orders", trusted);
        _job.IdentityEntry["ActsFor"] = "Workload";
        _job.Target = new JsonObject { ["Identity"] = "job", ["Exchange"] = "AwsSts", ["RoleArn"] = role.Arn, ["Region"] = "eu-central-1", ["Endpoint"] = _job.Emulator.Aws.Endpoint.OriginalString.TrimEnd('/') };
        _job.Emulator.JobIdentity(ProofShape.GitHub, GitHub).WriteProofFile(_job.Proof, "sts.amazonaws.com");

        (await _job.DoctorAsync("--trusted-subject", trusted)).AssertNames(
            "trust", "NHI4014", ExitCodes.Refused, "first difference at position 32: expected 'release-", "presented 'main'", "aws iam update-assume-role-policy --role-name orders");
    }

    [Test]
    public async Task F19_No_binding()
    {
        const string Account = "orders@acme.iam.gserviceaccount.com";
        PoolProvider provider = _job.Emulator.Google.AddProvider("jobs", "cluster");
        _job.Emulator.Google.AddServiceAccount(Account, "system:serviceaccount:jobs:another");
        string origin = _job.Emulator.Google.Endpoint.OriginalString.TrimEnd('/');
        _job.Target = new JsonObject
        {
            ["Identity"] = "job", ["Exchange"] = "GoogleSts", ["Provider"] = provider.Name, ["ServiceAccount"] = Account, ["Scopes"] = new JsonArray("https://www.googleapis.com/auth/devstorage.read_only"),
            ["StsEndpoint"] = origin, ["IamEndpoint"] = origin, ["AllowedOrigins"] = new JsonArray("https://storage.googleapis.com"),
        };
        _job.Emulator.JobIdentity(ProofShape.Kubernetes, DoctoredJob.Subject).WriteProofFile(_job.Proof, $"https://iam.googleapis.com/{provider.Name}");

        (await _job.DoctorAsync()).AssertNames("trust", "NHI4014", ExitCodes.Refused, Account, $"gcloud iam service-accounts add-iam-policy-binding {Account}");
    }

    [Test]
    public async Task F20_A_scope_too_many()
    {
        _job.UseDatabricks();
        _job.Target["Scopes"] = new JsonArray("sql", "clusters");

        (await _job.DoctorAsync()).AssertNames("scope", "NHI4001", ExitCodes.Refused, "clusters", "scopes");
    }

    private static string Policy(string limits = """{ "longestHandOut": "00:15:00" }""") => $$"""
        { "version": 1, "revision": 1, "rules": [
          { "name": "orders-load", "effect": "permit", "when": { "target": "warehouse", "job": { "dataset": "orders" } }, "limits": {{limits}} }
        ] }
        """;

    /// <summary>A clock that is ahead of the machine's.</summary>
    private sealed class AheadTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }
}
