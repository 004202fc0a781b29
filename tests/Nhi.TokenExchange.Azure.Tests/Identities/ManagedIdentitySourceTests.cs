using System.Net.Sockets;

namespace Nhi.TokenExchange.Tests;

[NonParallelizable]
internal sealed class ManagedIdentitySourceTests
{
    private const string Audience = "api://AzureADTokenExchange";
    private const string Id = "0b1c0000-0000-4000-8000-0000000000bb";
    private const string ResourceId = "/subscriptions/0b1c0000-0000-4000-8000-0000000000cc/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/loader";

    public static string Answer(string name = "one", string? end = null, string resource = Audience) =>
        $$"""{"access_token":"{{Proofs.Token(name)}}","client_id":"{{Id}}","expires_on":{{end ?? $"\"{Proofs.Now.AddHours(24).ToUnixTimeSeconds()}\""}},"resource":"{{resource}}","token_type":"Bearer"}""";

    private static SubjectTokenRequest Request(TimeProvider? time = null, string audience = Audience, string? refused = null) => new()
    {
        Audience = new Audience(audience), Backchannel = new Wire().Backchannel, Time = time ?? new SkippingTime(), MustBeNew = refused is not null, RefusedFingerprint = refused,
    };

    private static Task<SubjectToken> AskAsync(Wire wire, AzureManagedIdentityId? id = null, SubjectTokenRequest? request = null) =>
        new ManagedIdentitySource(id ?? AzureManagedIdentityId.SystemAssigned, wire).GetSubjectTokenAsync(request ?? Request(), default).AsTask();

    private static IdentityUnavailableException Refused(Wire wire, AzureManagedIdentityId? id = null, SubjectTokenRequest? request = null)
    {
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => AskAsync(wire, id, request))!;
        Proofs.AssertNothingShown(refused);
        return refused;
    }

    [Test]
    public async Task A_virtual_machines_identity_is_asked_of_the_metadata_service()
    {
        using var host = HostVariables.VirtualMachine();
        var wire = new Wire(Wire.Json(Answer()));

        SubjectToken token = await AskAsync(wire);

        SentRequest sent = wire.Requests.Single();
        Assert.That((sent.Method, sent.Uri.GetLeftPart(UriPartial.Path), sent.Headers["Metadata"], sent.Query("api-version"), sent.Query("resource")), Is.EqualTo(("GET", "http://169.254.169.254/metadata/identity/oauth2/token", "true", "2018-02-01", Audience)));
        Assert.That((token.Reveal(), token.Type, token.ExpiresAt, token.AskedFor, token.IsPlatformAttested), Is.EqualTo((Proofs.Token(), SubjectTokenType.AccessToken, (DateTimeOffset?)Proofs.Now.AddHours(24), (Audience?)new Audience(Audience), true)));
    }

    [TestCase("app service", "X-IDENTITY-HEADER", "2019-08-01")]
    [TestCase("service fabric", "secret", "2020-05-01")]
    [TestCase("arc", "Metadata", "2020-06-01")]
    [TestCase("ml", "secret", "2017-09-01")]
    public async Task Each_host_is_asked_in_its_own_way(string kind, string header, string version)
    {
        using var host = HostVariables.Named(kind);
        var wire = new Wire(Wire.Json(Answer()));

        SubjectToken token = await AskAsync(wire);

        Assert.That((wire.Requests.Single().Headers.ContainsKey(header), wire.Requests.Single().Query("api-version"), token.IsPlatformAttested), Is.EqualTo((true, version, true)));
    }

    [Test]
    public async Task Msals_cache_does_not_stand_between()
    {
        using var host = HostVariables.VirtualMachine();
        var wire = new Wire(Wire.Json(Answer("one")), Wire.Json(Answer("two")), Wire.Json(Answer("three")));
        var source = new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire);

        string[] tokens = [(await source.GetSubjectTokenAsync(Request(), default)).Reveal(), (await source.GetSubjectTokenAsync(Request(), default)).Reveal(), (await AskAsync(wire)).Reveal()];

        Assert.That((tokens.Distinct().Count(), wire.Requests.Count), Is.EqualTo((3, 3)));
    }

    [TestCase("vm", "client_id", "msi_res_id", "object_id")]
    [TestCase("app service", "client_id", "mi_res_id", "object_id")]
    public async Task An_assigned_identity_is_named_as_the_host_wants_it(string kind, string clientId, string resourceId, string objectId)
    {
        using var host = HostVariables.Named(kind);
        var wire = new Wire(Wire.Json(Answer()));

        await AskAsync(wire, AzureManagedIdentityId.FromClientId(Id));
        await AskAsync(wire, AzureManagedIdentityId.FromResourceId(ResourceId));
        await AskAsync(wire, AzureManagedIdentityId.FromObjectId(Id));

        Assert.That((wire.Requests[0].Query(clientId), wire.Requests[1].Query(resourceId), wire.Requests[2].Query(objectId)), Is.EqualTo((Id, ResourceId, Id)));
    }

    [TestCase("\"1767312000\"", 86400)]
    [TestCase("1767312000", 86400)]
    [TestCase("\"3600\"", 3600)]
    [TestCase("\"2026-01-01T01:00:00Z\"", 3600)]
    public async Task The_end_is_taken_from_the_answer_in_all_three_shapes(string end, int seconds)
    {
        using var host = HostVariables.AppService();

        Assert.That((await AskAsync(new Wire(Wire.Json(Answer(end: end))))).ExpiresAt, Is.EqualTo(Proofs.Now.AddSeconds(seconds)));
    }

    [Test]
    public void A_token_without_an_end_is_refused()
    {
        using var host = HostVariables.AppService();

        Assert.That(Refused(new Wire(Wire.Json(Answer(end: "\"soon\"")))).Code, Is.EqualTo(ErrorCodes.ProofMalformed));
    }

    [TestCase(404, 5, true)]
    [TestCase(408, 5, true)]
    [TestCase(410, 6, true)]
    [TestCase(429, 5, true)]
    [TestCase(500, 5, true)]
    [TestCase(502, 5, true)]
    [TestCase(503, 5, true)]
    [TestCase(400, 1, false)]
    [TestCase(401, 1, false)]
    [TestCase(403, 1, false)]
    [TestCase(405, 1, false)]
    public void S11_P34_The_metadata_service_is_asked_again_by_its_table(int status, int tries, bool isTransient)
    {
        using var host = HostVariables.VirtualMachine();
        var time = new SkippingTime();
        var wire = new Wire(Wire.Json("""{"error":"some_error","error_description":"Some text"}""", status));

        IdentityUnavailableException refused = Refused(wire, request: Request(time));

        Assert.That((wire.Requests.Count, refused.IsTransient, refused.IssuerError), Is.EqualTo((tries, isTransient, "some_error")));
        Assert.That(time.Waits.Select(wait => wait.TotalSeconds), Is.EqualTo(status == 410 ? [10, 10, 10, 10, 10] : tries == 1 ? Array.Empty<double>() : new double[] { 1, 2, 4, 8 }));
        Assert.That(refused.Message, Does.Contain($"status {status} some_error: Some text"));
    }

    [Test]
    public async Task S11_An_update_of_seventy_seconds_is_outlasted_by_two_flights()
    {
        using var host = HostVariables.VirtualMachine();
        var time = new SkippingTime();
        var wire = new Wire(request => Wire.Json(time.GetUtcNow() - Proofs.Now < TimeSpan.FromSeconds(70) ? "{}" : Answer(), time.GetUtcNow() - Proofs.Now < TimeSpan.FromSeconds(70) ? 410 : 200)(request));
        var source = new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire);

        IdentityUnavailableException first = Assert.ThrowsAsync<IdentityUnavailableException>(() => source.GetSubjectTokenAsync(Request(time), default).AsTask())!;
        TimeSpan flight = time.GetUtcNow() - Proofs.Now;
        SubjectToken token = await source.GetSubjectTokenAsync(Request(time), default);

        Assert.That((first.IsTransient, flight, token.Reveal(), time.GetUtcNow() - Proofs.Now), Is.EqualTo((true, TimeSpan.FromSeconds(50), Proofs.Token(), TimeSpan.FromSeconds(70))));
    }

    [TestCase("vm", 401, "no identity for this process", "himds")]
    [TestCase("vm", 403, "a network policy", "himds")]
    [TestCase("arc", 403, "the group himds", "metadata service")]
    [TestCase("app service", 401, "IDENTITY_ENDPOINT", "himds")]
    public void A_refusal_of_the_process_is_explained_by_the_host_that_refused(string kind, int status, string said, string not)
    {
        using var host = HostVariables.Named(kind);

        Assert.That(Refused(new Wire(Wire.Json("{}", status))).Hint, Does.Contain(said).And.Not.Contain(not));
    }

    [TestCase(404, 4)]
    [TestCase(408, 4)]
    [TestCase(429, 4)]
    [TestCase(500, 4)]
    [TestCase(503, 4)]
    [TestCase(504, 4)]
    [TestCase(410, 1)]
    [TestCase(502, 1)]
    [TestCase(400, 1)]
    [TestCase(403, 1)]
    public void S11_Other_hosts_have_a_table_of_their_own(int status, int tries)
    {
        using var host = HostVariables.AppService();
        var wire = new Wire(Wire.Json("""{"statusCode":0,"message":"Some text"}""", status));

        IdentityUnavailableException refused = Refused(wire);

        Assert.That((wire.Requests.Count, refused.IsTransient), Is.EqualTo((tries, tries > 1)));
        Assert.That(refused.Message, Does.Contain($"App Service gave no token for system-assigned: {(tries > 1 ? "in 4 tries, last " : "")}status {status}: Some text"));
    }

    [Test]
    public async Task A_wait_that_the_host_asks_for_is_kept()
    {
        using var host = HostVariables.AppService();
        var time = new SkippingTime();

        await AskAsync(new Wire(Wire.Json("{}", 503, ("Retry-After", "7")), Wire.Json(Answer())), request: Request(time));

        Assert.That(time.Waits, Is.EqualTo([TimeSpan.FromSeconds(7)]));
    }

    [Test]
    public async Task S9_P32_A_host_that_is_silent_at_first_is_waited_for()
    {
        using var host = HostVariables.VirtualMachine();
        var time = new SkippingTime();
        var wire = new Wire(SilentContent.Answer(time), Wire.Json(Answer()));

        await AskAsync(wire, request: Request(time));

        Assert.That((wire.Requests.Count, time.Waits.Single()), Is.EqualTo((2, TimeSpan.FromSeconds(1))));
    }

    [Test]
    public void S9_A_host_that_stays_silent_is_given_up_within_half_a_minute()
    {
        using var host = HostVariables.VirtualMachine();
        var time = new SkippingTime();

        IdentityUnavailableException refused = Refused(new Wire(SilentContent.Answer(time)), request: Request(time));

        Assert.That(refused.IsTransient);
        Assert.That(refused.Message, Does.Contain("gave no token: no whole answer in time, in 4 tries"));
        Assert.That(time.GetUtcNow() - Proofs.Now, Is.LessThanOrEqualTo(TimeSpan.FromSeconds(30)));
    }

    [Test]
    public async Task S10_P35_A_declared_host_that_takes_no_connection_yet_is_waited_for()
    {
        using var host = HostVariables.AppService();
        var time = new SkippingTime();
        Func<SentRequest, HttpResponseMessage> closed = Wire.Throws(NoConnection());

        await AskAsync(new Wire([.. Enumerable.Repeat(closed, 8), Wire.Json(Answer())]), request: Request(time));

        Assert.That(time.Waits.Sum(wait => wait.TotalSeconds), Is.EqualTo(8));
    }

    [Test]
    public void S10_A_declared_host_that_never_takes_one_is_given_up_within_half_a_minute()
    {
        using var host = HostVariables.Arc();
        var time = new SkippingTime();

        IdentityUnavailableException refused = Refused(new Wire(Wire.Throws(NoConnection())), request: Request(time));

        Assert.That((refused.IsTransient, time.Waits.Count), Is.EqualTo((true, 29)));
        Assert.That(refused.Message, Does.Contain("Azure Arc, which the environment declares, was not reached within 30 s (ConnectionRefused)"));
    }

    [Test]
    public void P33_Where_nothing_declares_a_host_no_connection_fails_at_once_may_pass_within_half_a_minute_and_is_final_then()
    {
        using var host = HostVariables.VirtualMachine();
        var time = new SkippingTime();
        Exception[] none = [NoConnection(), NoConnection(SocketError.NetworkUnreachable), new TaskCanceledException("connect", new TimeoutException())];

        foreach (Exception exception in none)
        {
            var wire = new Wire(Wire.Throws(exception));
            var source = new ManagedIdentitySource(AzureManagedIdentityId.SystemAssigned, wire);
            Func<IdentityUnavailableException> ask = () => Assert.ThrowsAsync<IdentityUnavailableException>(() => source.GetSubjectTokenAsync(Request(time), default).AsTask())!;

            IdentityUnavailableException first = ask();
            time.Advance(TimeSpan.FromSeconds(29));
            IdentityUnavailableException still = ask();
            time.Advance(TimeSpan.FromSeconds(1));
            IdentityUnavailableException refused = ask();

            Assert.That((first.IsTransient, still.IsTransient, refused.IsTransient, wire.Requests.Count, time.Waits.Count), Is.EqualTo((true, true, false, 3, 0)));
            Assert.That((first.Hint!.Contains("may not be up yet", StringComparison.Ordinal), refused.Hint!.Contains("may not be up yet", StringComparison.Ordinal)), Is.EqualTo((true, false)));
            Assert.That(refused.Message, Does.Contain("There is no managed identity here").And.Contain("IDENTITY_ENDPOINT").And.Contain("AzureWorkloadIdentity()").And.Contain("GitHubActions()"));
        }
    }

    [Test]
    public void In_a_pod_with_workload_identity_the_hint_says_so()
    {
        using var host = HostVariables.Pod();

        Assert.That(Refused(new Wire(Wire.Throws(NoConnection()))).Hint, Does.Contain("this pod has Azure workload identity"));
    }

    [TestCase(200, "<html>Sign in</html>", "text/html", "status 200, content type text/html")]
    [TestCase(302, "", "text/html", "status 302")]
    [TestCase(404, "<html>Sign in</html>", "text/html", "content type text/html")]
    [TestCase(400, "<html>Sign in</html>", "text/html", "is not a metadata service")]
    [TestCase(200, "{\"hello\":1}", "application/json", "no access_token")]
    public void S12_What_is_no_metadata_service_is_told_by_its_content_type_and_not_quoted(int status, string body, string type, string said)
    {
        using var host = HostVariables.VirtualMachine();

        Assert.That(Refused(new Wire(Wire.Text(body, type, status))).Message, Does.Contain(said).And.Not.Contain("Sign in"));
    }

    [Test]
    public void S18_A_body_without_an_end_is_not_read_to_its_end()
    {
        using var host = HostVariables.VirtualMachine();

        Assert.That(Refused(new Wire(Wire.Json($$"""{"access_token":"{{new string('x', 70_000)}}"}"""))).Message, Does.Contain("no JSON of at most 64 KiB"));
    }

    [Test]
    public void The_plain_text_of_a_proxy_is_an_answer_of_the_host()
    {
        using var host = HostVariables.VirtualMachine();

        Assert.That(Refused(new Wire(Wire.Text("no azure identity found", "text/plain", 403))).Message, Does.Contain("status 403 (content type text/plain)"));
    }

    [Test]
    public void An_identity_that_is_not_assigned_is_told_by_what_to_assign()
    {
        using var host = HostVariables.VirtualMachine();
        var wire = new Wire(Wire.Json("""{"error":"invalid_request","error_description":"Identity not found"}""", 400));

        Assert.That(Refused(wire).Hint, Does.Contain("Switch on the system-assigned identity"));
        Assert.That(Refused(wire, AzureManagedIdentityId.FromClientId(Id)).Message, Does.Contain($"client id {Id}").And.Contain("Identity not found").And.Contain("Assign this identity"));
    }

    [Test]
    public void A_persons_cloud_shell_is_never_asked()
    {
        using var host = HostVariables.CloudShell();
        var wire = new Wire(Wire.Json(Answer()));

        Assert.That((Refused(wire).Code, wire.Requests.Count), Is.EqualTo((ErrorCodes.ProofOfAPerson, 0)));
    }

    [Test]
    public void An_assigned_identity_on_arc_and_a_machine_learning_host_without_identity_are_told()
    {
        var wire = new Wire(Wire.Json(Answer()));
        using (HostVariables.Arc())
            Assert.That(Refused(wire, AzureManagedIdentityId.FromClientId(Id)).Message, Does.Contain("Azure Arc takes no such id"));
        using (HostVariables.MachineLearning(null))
            Assert.That(Refused(wire).Message, Does.Contain("DEFAULT_IDENTITY_CLIENT_ID is not set"));
        Assert.That(wire.Requests, Is.Empty);
    }

    [Test]
    public void The_challenge_of_arc_reaches_msal_which_refuses_a_file_elsewhere()
    {
        using var host = HostVariables.Arc();
        var wire = new Wire(Wire.Json("{}", 401, ("WWW-Authenticate", "Basic realm=/etc/passwd.key")));

        IdentityUnavailableException refused = Refused(wire);

        Assert.That((wire.Requests.Count, refused.IsTransient), Is.EqualTo((1, false)));
        Assert.That(refused.Message, Does.Not.Contain("passwd"));
    }

    [Test]
    public async Task A_proof_that_was_refused_is_not_given_again()
    {
        using var host = HostVariables.VirtualMachine();
        string refused = (await AskAsync(new Wire(Wire.Json(Answer("one"))))).Fingerprint;

        Assert.That(Refused(new Wire(Wire.Json(Answer("one"))), request: Request(refused: refused)).Message, Does.Contain("gave the very token again"));
        Assert.That((await AskAsync(new Wire(Wire.Json(Answer("two"))), request: Request(refused: refused))).Reveal(), Is.EqualTo(Proofs.Token("two")));
    }

    [Test]
    public async Task A_default_scope_as_audience_is_asked_as_its_resource()
    {
        using var host = HostVariables.VirtualMachine();
        var wire = new Wire(Wire.Json(Answer(resource: "https://storage.azure.com/")));

        SubjectToken token = await AskAsync(wire, request: Request(audience: "https://storage.azure.com/.default"));

        Assert.That((wire.Requests.Single().Query("resource"), token.AskedFor.ToString()), Is.EqualTo(("https://storage.azure.com", "https://storage.azure.com/.default")));
    }

    [TestCase("client")]
    [TestCase("")]
    [TestCase("00000000-0000-0000-0000-000000000000")]
    public void Ids_that_are_none_are_refused_at_once(string id)
    {
        Assert.That(() => AzureManagedIdentityId.FromClientId(id), Throws.ArgumentException);
        Assert.That(() => AzureManagedIdentityId.FromObjectId(id), Throws.ArgumentException);
        Assert.That(() => AzureManagedIdentityId.FromResourceId(id), Throws.ArgumentException);
        Assert.That(() => AzureManagedIdentityId.FromResourceId(ResourceId + "&x"), Throws.ArgumentException);
    }

    private static HttpRequestException NoConnection(SocketError error = SocketError.ConnectionRefused) => new(HttpRequestError.ConnectionError, "no", new SocketException((int)error));
}
