using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>The emulated Google Cloud, asked with nothing but HttpClient.</summary>
[TestFixture]
internal sealed class GoogleTests : EmulatorFixture
{
    private const string Everything = "https://www.googleapis.com/auth/cloud-platform";
    private const string Account = "loader@my-project.iam.gserviceaccount.com";
    private const string Boundary = """{"accessBoundary":{"accessBoundaryRules":[{"availableResource":"//storage.googleapis.com/projects/_/buckets/orders","availablePermissions":["inRole:roles/storage.objectViewer"]}]}}""";

    private PoolProvider _provider = null!;

    [SetUp]
    public void AddProvider() => _provider = Emulator.Google.AddProvider("jobs", "github");

    private string Proof(string? audience = null, Action<ProofClaims>? change = null) => Job.Mint(audience ?? $"https://iam.googleapis.com/{_provider.Name}", change);

    private Task<RawAnswer> FederateAsync(string? proof = null, string? audience = null, string scope = Everything) => Raw.PostAsync(new Uri(Emulator.Google.Endpoint, "/v1/token"),
        ("grant_type", RawClient.Exchange), ("requested_token_type", RawClient.AccessTokenType), ("audience", audience ?? $"//iam.googleapis.com/{_provider.Name}"), ("scope", scope),
        ("subject_token", proof ?? Proof()), ("subject_token_type", RawClient.JwtType));

    private Task<RawAnswer> DownscopeAsync(string token, string boundary) => Raw.PostAsync(new Uri(Emulator.Google.Endpoint, "/v1/token"),
        ("grant_type", RawClient.Exchange), ("requested_token_type", RawClient.AccessTokenType), ("subject_token", token), ("subject_token_type", RawClient.AccessTokenType), ("options", Uri.EscapeDataString(boundary)));

    private async Task<RawAnswer> ActAsync(string bearer, string account = Account, string body = "{\"scope\":[\"a\"],\"lifetime\":\"600s\"}")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Emulator.Google.Endpoint, $"/v1/projects/-/serviceAccounts/{account}:generateAccessToken")) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using HttpResponseMessage response = await Raw.Http.SendAsync(request);
        return await RawAnswer.ReadAsync(response);
    }

    private static string Status(RawAnswer answer) => answer.Json.GetProperty("error").GetProperty("status").GetString()!;

    [Test]
    public async Task A_verified_proof_gets_a_federated_token_and_each_check_has_its_own_error()
    {
        RawAnswer good = await FederateAsync();
        Assert.That((good.Status, good.Text("token_type"), good.Text("issued_token_type"), good.Text("expires_in")), Is.EqualTo((HttpStatusCode.OK, "Bearer", RawClient.AccessTokenType, "3600")));
        Assert.That(good.Token, Does.Contain(Emulator.Canaries.Google));
        Assert.That(Emulator.Ledger.Issued.Single().Subject, Does.EndWith($"/workloadIdentityPools/jobs/subject/{Job.Subject}"));

        var refused = new List<(RawAnswer Answer, string Error, string Reason)>
        {
            (await FederateAsync(Proof("elsewhere")), "invalid_grant", "audience_mismatch"),
            (await FederateAsync(Proof(change: proof => proof.Signature = ProofSignature.ForeignKey)), "invalid_grant", "signature_bad"),
            (await FederateAsync(Proof(change: proof => proof.Signature = ProofSignature.None)), "invalid_grant", "algorithm_not_allowed"),
            (await FederateAsync(Proof(change: proof => proof.Issuer = "https://other.example")), "invalid_grant", "issuer_mismatch"),
            (await FederateAsync(Proof(change: proof => proof.Lives(Clock.GetUtcNow().AddHours(-2), TimeSpan.FromHours(1)))), "invalid_grant", "expired"),
            (await FederateAsync(Proof(change: proof => proof.Subject = new string('s', 128))), "invalid_grant", "subject_too_long"),
            (await FederateAsync(audience: "//iam.googleapis.com/projects/my-project/locations/global/workloadIdentityPools/jobs/providers/github"), "invalid_request", "audience_malformed"),
            (await FederateAsync(audience: $"//iam.googleapis.com/{_provider.Name}-x"), "invalid_target", "provider_unknown"),
        };
        _provider.Conditions["repository"] = "octo/other";
        refused.Add((await FederateAsync(), "unauthorized_client", "attribute_condition"));

        Assert.That(refused.Select(one => one.Answer.Error), Is.EqualTo(refused.Select(one => one.Error)));
        Assert.That(Emulator.Ledger.Refusals.Select(refusal => refusal.Reason), Is.EqualTo(refused.Select(one => one.Reason)));
        Assert.That(Emulator.Ledger.Issued, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_service_account_lets_in_whom_it_names_and_no_other()
    {
        string token = (await FederateAsync()).Token, narrow = (await FederateAsync(scope: "https://www.googleapis.com/auth/devstorage.read_only")).Token;
        EmulatedServiceAccount account = Emulator.Google.AddServiceAccount(Account);

        RawAnswer stranger = await ActAsync(token), unknown = await ActAsync("made-up"), scope = await ActAsync(narrow), nobody = await ActAsync(token, "nobody@my-project.iam.gserviceaccount.com");
        account.WorkloadIdentityUsers.Add(Job.Subject);
        RawAnswer longer = await ActAsync(token, body: "{\"scope\":[\"a\"],\"lifetime\":\"3601s\"}"), malformed = await ActAsync(token, body: "{}");
        RawAnswer good = await ActAsync(token);

        Assert.That(new[] { stranger, unknown, scope, nobody, longer, malformed }.Select(Status), Is.EqualTo(new[] { "PERMISSION_DENIED", "UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ARGUMENT" }));
        Assert.That((good.Status, good.Text("expireTime")), Is.EqualTo((HttpStatusCode.OK, Clock.GetUtcNow().AddMinutes(10).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture))));
        LedgerIssue issue = Emulator.Ledger.Issued[^1];
        Assert.That((issue.Subject, issue.Fingerprint, issue.EndsAt), Is.EqualTo(($"serviceAccount:{Account}", Ledger.FingerprintOf(good.Text("accessToken")!), Clock.GetUtcNow().AddMinutes(10))));
    }

    [Test]
    public async Task A_downscoped_token_ends_with_its_source_and_a_boundary_that_is_none_is_refused()
    {
        string token = (await FederateAsync()).Token;
        Clock.Advance(TimeSpan.FromMinutes(20));

        RawAnswer good = await DownscopeAsync(token, Boundary);
        RawAnswer[] refused = [await DownscopeAsync(token, "{}"), await DownscopeAsync(token, "x"), await DownscopeAsync(token, Boundary.Replace("storage", "bigquery", StringComparison.Ordinal)), await DownscopeAsync("made-up", Boundary)];
        Clock.Advance(TimeSpan.FromMinutes(41));
        RawAnswer dead = await DownscopeAsync(token, Boundary);

        Assert.That((good.Text("expires_in"), Emulator.Ledger.Issued[^1].AccessBoundary), Is.EqualTo(("2400", Boundary)));
        Assert.That(refused.Append(dead).Select(answer => answer.Error), Is.EqualTo(new[] { "invalid_request", "invalid_request", "invalid_request", "invalid_grant", "invalid_grant" }));
    }
}
