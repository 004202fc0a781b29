using System.Net;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Where the emulator listens, what it serves beside tokens, and what it never shows.</summary>
[TestFixture]
internal sealed class HouseRulesTests : EmulatorFixture
{
    [TestCase("0.0.0.0")]
    [TestCase("::")]
    [TestCase("192.0.2.1")]
    public void Only_loopback_is_listened_on(string address) =>
        Assert.That(() => IdentityEmulator.StartAsync(o => o.Address = IPAddress.Parse(address)), Throws.ArgumentException.With.Message.Contains("loopback"));

    [Test]
    public async Task Keys_and_canaries_are_new_for_each_start()
    {
        await using IdentityEmulator other = await IdentityEmulator.StartAsync();
        Assert.That(other.Canaries.Proof, Is.Not.EqualTo(Emulator.Canaries.Proof));
        string first = (await Raw.GetAsync(new Uri(Emulator.Issuer + "/jwks"))).Body;
        Assert.That((await Raw.GetAsync(new Uri(other.Issuer + "/jwks"))).Body, Is.Not.EqualTo(first));
    }

    [Test]
    public async Task Discovery_documents_name_their_issuer_exactly()
    {
        RawAnswer oidc = await Raw.GetAsync(new Uri(Emulator.Issuer + "/.well-known/openid-configuration"));
        Assert.That(oidc.Text("issuer"), Is.EqualTo(Emulator.Issuer.OriginalString));
        Uri issuer = Emulator.Authorization.Issuer;
        RawAnswer inserted = await Raw.GetAsync(new Uri($"{issuer.GetLeftPart(UriPartial.Authority)}/.well-known/oauth-authorization-server{issuer.AbsolutePath}"));
        RawAnswer appended = await Raw.GetAsync(new Uri(issuer + "/.well-known/openid-configuration"));
        Assert.That(inserted.Text("issuer"), Is.EqualTo(issuer.OriginalString));
        Assert.That(appended.Body, Is.EqualTo(inserted.Body));
        Assert.That(Emulator.Issuer, Is.Not.EqualTo(issuer));
        Assert.That((await Raw.GetAsync(new Uri(oidc.Text("jwks_uri")!))).Json.GetProperty("keys").GetArrayLength(), Is.EqualTo(2));
    }

    [Test]
    public void The_page_of_the_package_names_each_endpoint_at_which_a_fault_may_strike()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Nhi.TokenExchange.sln")))
            root = root.Parent;
        string page = File.ReadAllText(Path.Combine(root!.FullName, "src", "Nhi.TokenExchange.Emulator", "README.md"));

        Assert.That(Enum.GetNames<EmulatorEndpoint>().Where(name => !page.Contains($"`{name}`", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task The_jwks_shows_public_members_only()
    {
        JsonElement keys = (await Raw.GetAsync(new Uri(Emulator.Issuer + "/jwks"))).Json.GetProperty("keys");
        foreach (JsonElement key in keys.EnumerateArray())
            Assert.That(key.EnumerateObject().Select(member => member.Name), Has.None.AnyOf("d", "p", "q", "dp", "dq", "qi", "k"));
    }

    [Test]
    public async Task The_databricks_workspace_has_its_documents_and_no_revocation()
    {
        RawAnswer config = await Raw.GetAsync(new Uri(Emulator.Databricks.Host, "/.well-known/databricks-config"));
        Assert.That(config.Json.GetProperty("token_federation_default_oidc_audiences")[0].GetString(), Is.EqualTo(Emulator.Databricks.TokenEndpoint.OriginalString));
        RawAnswer metadata = await Raw.GetAsync(new Uri(Emulator.Databricks.Host, "/oidc/.well-known/oauth-authorization-server"));
        Assert.That(metadata.Text("token_endpoint"), Is.EqualTo(Emulator.Databricks.TokenEndpoint.OriginalString));
        Assert.That(metadata.Json.TryGetProperty("revocation_endpoint", out _), Is.False);
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Databricks.Host, "/oidc/v1/revoke"))).Status, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task A_ci_endpoint_hands_out_a_fresh_proof_for_the_asked_audience()
    {
        Uri address = new($"{Job.RequestUrl}&audience={Uri.EscapeDataString(Audience)}");
        string first = (await Raw.GetAsync(address, Job.RequestToken)).Text("value")!;
        string second = (await Raw.GetAsync(address, Job.RequestToken)).Text("value")!;
        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That((await ExchangeAsync(first)).Status, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await Raw.GetAsync(address, "made-up")).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await Raw.GetAsync(address)).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
    }

    [Test]
    public async Task The_azure_devops_endpoint_answers_posts_only()
    {
        JobIdentity job = Emulator.JobIdentity(ProofShape.AzureDevOpsConnection);
        Assert.That((await Raw.GetAsync(job.RequestUrl, job.RequestToken)).Status, Is.EqualTo(HttpStatusCode.MethodNotAllowed));
        using var request = new HttpRequestMessage(HttpMethod.Post, job.RequestUrl + "?api-version=7.1");
        request.Headers.Authorization = new("Bearer", job.RequestToken);
        using HttpResponseMessage response = await Raw.Http.SendAsync(request);
        Assert.That((await RawAnswer.ReadAsync(response)).Text("oidcToken"), Is.Not.Empty);
    }

    [Test]
    public async Task A_proof_file_is_replaced_whole_and_readable_by_its_owner_alone()
    {
        string folder = Directory.CreateTempSubdirectory("emulator").FullName;
        try
        {
            string path = Path.Combine(folder, "token");
            Job.WriteProofFile(path, Audience);
            string first = await File.ReadAllTextAsync(path);
            Job.WriteProofFile(path, Audience);
            string second = await File.ReadAllTextAsync(path);
            Assert.That(second, Is.Not.EqualTo(first));
            Assert.That((await ExchangeAsync(second)).Status, Is.EqualTo(HttpStatusCode.OK));
            Assert.That(Directory.GetFiles(folder), Has.Length.EqualTo(1));
            if (!OperatingSystem.IsWindows())
                Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task The_ledger_tells_the_truth_and_holds_no_token()
    {
        string proof = Job.Mint(Audience);
        RawAnswer answer = await ExchangeAsync(proof, ("scope", "dataset:orders"));
        await RowsAsync(answer.Token);
        LedgerIssue issue = Emulator.Ledger.Issued.Single();
        Assert.That((issue.Fingerprint, issue.Issuer, issue.ClientId, issue.Subject, issue.Scope), Is.EqualTo((Ledger.FingerprintOf(answer.Token), Audience, "job", Job.Subject, "dataset:orders")));
        Assert.That((issue.IssuedAt, issue.EndsAt, issue.RevokedAt, issue.RequestId), Is.EqualTo((Clock.GetUtcNow(), Clock.GetUtcNow().AddHours(1), (DateTimeOffset?)null, answer.Header("x-request-id"))));
        Assert.That((Emulator.Ledger.Uses.Single().Fingerprint, Emulator.Ledger.Uses.Single().Verdict), Is.EqualTo((issue.Fingerprint, UseVerdict.Accepted)));
        Assert.That(Emulator.Ledger.IsAlive(issue.Fingerprint), Is.True);
        string printed = $"{issue} {Emulator.Ledger.Uses.Single()} {Job} {JsonSerializer.Serialize(issue)}";
        Assert.That(printed, Does.Not.Contain(answer.Token).And.Not.Contain(Emulator.Canaries.Authorization).And.Not.Contain(Emulator.Canaries.RequestToken));
        Assert.That(answer.Token, Does.Contain(Emulator.Canaries.Authorization));
        Assert.That(Emulator.Ledger.MaxConcurrentExchanges, Is.EqualTo(1));
    }

    [Test]
    public async Task Parallel_requests_are_all_in_the_ledger()
    {
        RawAnswer[] answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => ExchangeAsync(Job.Mint(Audience))));
        Assert.That(answers.Select(answer => answer.Status), Has.All.EqualTo(HttpStatusCode.OK));
        Assert.That(Emulator.Ledger.Issued.Select(issue => issue.Fingerprint), Is.EquivalentTo(answers.Select(answer => Ledger.FingerprintOf(answer.Token))));
        Assert.That(Emulator.Ledger.Requests.Of(EmulatorEndpoint.AuthorizationToken), Is.EqualTo(32));
    }
}
