using System.Net;

namespace Nhi.TokenExchange;

/// <summary>The managed identity hosts, each by its own contract.</summary>
[TestFixture]
internal sealed class ManagedIdentityTests : AzureFixture
{
    private string Resource => $"resource={Uri.EscapeDataString(Emulator.AzureResource.Resource)}";

    private ManagedIdentityHosts Hosts => Emulator.ManagedIdentity;

    [Test]
    public async Task Imds_answers_in_texts_and_hands_out_the_machine_s_own_identity()
    {
        RawAnswer answer = await ImdsAsync(Resource);
        Assert.That(answer.Status, Is.EqualTo(HttpStatusCode.OK), answer.Body);
        Assert.That(answer.Json.EnumerateObject().Select(field => field.Value.ValueKind), Has.All.EqualTo(System.Text.Json.JsonValueKind.String));
        Assert.That((answer.Text("expires_in"), answer.Text("expires_on"), answer.Text("resource"), answer.Text("token_type")),
            Is.EqualTo(("86400", $"{Clock.GetUtcNow().AddDays(1).ToUnixTimeSeconds()}", Emulator.AzureResource.Resource, "Bearer")));
        ManagedIdentity machine = Hosts.SystemAssigned;
        Assert.That((Claim(answer.Token, "oid"), Claim(answer.Token, "sub"), Claim(answer.Token, "appid"), Claim(answer.Token, "tid"), Claim(answer.Token, "xms_mirid"), Claim(answer.Token, "idtyp")),
            Is.EqualTo((machine.ObjectId, machine.ObjectId, machine.ClientId, machine.TenantId, machine.ResourceId, "app")));
        Assert.That(Emulator.Ledger.Issued.Single().Subject, Is.EqualTo(machine.ObjectId));
    }

    [Test]
    public async Task Imds_finds_an_identity_by_each_of_its_names()
    {
        ManagedIdentity identity = Hosts.AddUserAssigned("orders");
        Hosts.AddUserAssigned();
        foreach (string name in new[] { $"client_id={identity.ClientId}", $"object_id={identity.ObjectId}", $"msi_res_id={Uri.EscapeDataString(identity.ResourceId)}" })
            Assert.That(Claim((await ImdsAsync($"{Resource}&{name}")).Token, "oid"), Is.EqualTo(identity.ObjectId), name);
        Expect(await ImdsAsync($"{Resource}&mi_res_id={Uri.EscapeDataString(identity.ResourceId)}"), "identity_unknown", 400, "invalid_request");
        Expect(await ImdsAsync($"{Resource}&client_id={Guid.NewGuid()}"), "identity_unknown", 400, "invalid_request");
        Expect(await ImdsAsync($"{Resource}&client_id={identity.ClientId}&object_id={identity.ObjectId}"), "identity_ambiguous", 400, "invalid_request");
    }

    [Test]
    public async Task Without_a_machine_identity_the_only_user_assigned_one_is_meant_and_of_two_none()
    {
        Hosts.HasSystemAssigned = false;
        Expect(await ImdsAsync(Resource), "identity_unknown", 400, "invalid_request");
        ManagedIdentity only = Hosts.AddUserAssigned();
        Assert.That(Claim((await ImdsAsync(Resource)).Token, "oid"), Is.EqualTo(only.ObjectId));
        Hosts.AddUserAssigned();
        Expect(await ImdsAsync(Resource), "identity_required", 400, "invalid_request");
    }

    [Test]
    public async Task Imds_refuses_what_a_forged_or_broken_request_looks_like()
    {
        Uri address = new($"{Hosts.EndpointOf(ManagedIdentityHost.Imds)}?api-version=2018-02-01&{Resource}");
        Expect(await Raw.GetAsync(address), "metadata_header_missing", 400, "bad_request_102");
        Expect(await Raw.SendAsync(HttpMethod.Get, address, null, ("Metadata", "True")), "metadata_header_missing", 400, "bad_request_102");
        Expect(await ImdsAsync(Resource, ("X-Forwarded-For", "192.0.2.1")), "forwarded", 400, "invalid_request");
        Expect(await Raw.SendAsync(HttpMethod.Get, new Uri($"{Hosts.EndpointOf(ManagedIdentityHost.Imds)}?{Resource}"), null, ("Metadata", "true")), "api_version_unknown", 400, "invalid_request");
        Expect(await Raw.SendAsync(HttpMethod.Post, address, null, ("Metadata", "true")), "method", 405, "method_not_allowed");
        Expect(await ImdsAsync(""), "resource_missing", 400, "invalid_request");
        Expect(await ImdsAsync("resource=https%3A%2F%2Fnowhere.invalid"), "resource_unknown", 400, "invalid_resource");
    }

    [Test]
    public async Task The_platform_keeps_a_token_until_little_is_left()
    {
        string first = (await ImdsAsync(Resource)).Token;
        Clock.Advance(TimeSpan.FromHours(23));
        RawAnswer second = await ImdsAsync(Resource);
        Assert.That((second.Token, second.Text("expires_in")), Is.EqualTo((first, "3600")));
        Assert.That((await ImdsAsync("resource=https%3A%2F%2Fvault.azure.net")).Token, Is.Not.EqualTo(first));
        Clock.Advance(TimeSpan.FromMinutes(55));
        Assert.That((await ImdsAsync(Resource)).Token, Is.Not.EqualTo(first));
        Hosts.CachesTokens = false;
        string third = (await ImdsAsync(Resource)).Token;
        Assert.That((await ImdsAsync(Resource)).Token, Is.Not.EqualTo(third));
    }

    [Test]
    public async Task Imds_throttles_where_its_limits_are_set()
    {
        Hosts.EnforcesLimits = true;
        for (int number = 0; number < 20; number++)
            Assert.That((await ImdsAsync(Resource)).Status, Is.EqualTo(HttpStatusCode.OK));
        Expect(await ImdsAsync(Resource), "throttled", 429, "too_many_requests");
        Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.That((await ImdsAsync(Resource)).Status, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task App_service_wants_its_header_and_takes_its_own_names()
    {
        ManagedIdentity identity = Hosts.AddUserAssigned();
        string address = $"{Hosts.EnvironmentOf(ManagedIdentityHost.AppService)["IDENTITY_ENDPOINT"]}?api-version=2019-08-01&{Resource}";
        (string, string) header = ("X-IDENTITY-HEADER", Hosts.EnvironmentOf(ManagedIdentityHost.AppService)["IDENTITY_HEADER"]);
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Get, new Uri(address), null, header);
        Assert.That((answer.Text("expires_on"), answer.Text("client_id"), answer.Text("expires_in")), Is.EqualTo(($"{Clock.GetUtcNow().AddDays(1).ToUnixTimeSeconds()}", Hosts.SystemAssigned.ClientId, (string?)null)));
        foreach (string name in new[] { $"client_id={identity.ClientId}", $"principal_id={identity.ObjectId}", $"object_id={identity.ObjectId}", $"mi_res_id={Uri.EscapeDataString(identity.ResourceId)}" })
            Assert.That(Claim((await Raw.SendAsync(HttpMethod.Get, new Uri($"{address}&{name}"), null, header)).Token, "oid"), Is.EqualTo(identity.ObjectId), name);
        Expect(await Raw.SendAsync(HttpMethod.Get, new Uri($"{address}&msi_res_id={Uri.EscapeDataString(identity.ResourceId)}"), null, header), "identity_unknown", 400);
        Expect(await Raw.GetAsync(new Uri(address)), "identity_header_wrong", 401);
        RawAnswer wrong = await Raw.SendAsync(HttpMethod.Get, new Uri(address), null, ("X-IDENTITY-HEADER", "guess"));
        Expect(wrong, "identity_header_wrong", 401);
        Assert.That(wrong.Text("statusCode"), Is.EqualTo("401"));
    }

    [Test]
    public async Task Azure_arc_wants_what_stands_in_the_key_file_once()
    {
        string folder = Directory.CreateTempSubdirectory("emulator").FullName;
        Hosts.ArcTokenFolder = Path.Combine(folder, "tokens");
        try
        {
            Uri address = new($"{Hosts.EnvironmentOf(ManagedIdentityHost.AzureArc)["IDENTITY_ENDPOINT"]}?api-version=2020-06-01&{Resource}");
            string first = await ChallengeAsync(address);
            string second = await ChallengeAsync(address);
            Assert.That(second, Is.Not.EqualTo(first));
            Assert.That((Path.GetDirectoryName(first), Path.GetExtension(first)), Is.EqualTo((Hosts.ArcTokenFolder, ".key")));
            string secret = await File.ReadAllTextAsync(first);
            Assert.That(secret, Does.StartWith(Emulator.Canaries.ManagedIdentity).And.Length.LessThan(4096));
            RawAnswer answer = await Raw.SendAsync(HttpMethod.Get, address, null, ("Metadata", "true"), ("Authorization", $"Basic {secret}"));
            Assert.That(Claim(answer.Token, "oid"), Is.EqualTo(Hosts.SystemAssigned.ObjectId));
            Assert.That(File.Exists(first), Is.False);
            Assert.That((await Raw.SendAsync(HttpMethod.Get, address, null, ("Metadata", "true"), ("Authorization", $"Basic {secret}"))).Status, Is.EqualTo(HttpStatusCode.Unauthorized));
            Expect(await Raw.GetAsync(address), "metadata_header_missing", 400, "bad_request_102");
            await Emulator.DisposeAsync();
            Assert.That(Directory.GetFiles(Hosts.ArcTokenFolder), Is.Empty);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public async Task Machine_learning_takes_client_ids_and_its_secret()
    {
        ManagedIdentity identity = Hosts.AddUserAssigned();
        IReadOnlyDictionary<string, string> environment = Hosts.EnvironmentOf(ManagedIdentityHost.MachineLearning);
        string address = $"{environment["MSI_ENDPOINT"]}?api-version=2017-09-01&{Resource}";
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Get, new Uri($"{address}&clientid={identity.ClientId}"), null, ("secret", environment["MSI_SECRET"]));
        Assert.That(Claim(answer.Token, "oid"), Is.EqualTo(identity.ObjectId));
        Expect(await Raw.SendAsync(HttpMethod.Get, new Uri($"{address}&client_id={identity.ClientId}"), null, ("secret", environment["MSI_SECRET"])), "identity_unknown", 400);
        Expect(await Raw.GetAsync(new Uri(address)), "identity_header_wrong", 401);
    }

    [Test]
    public async Task Cloud_shell_answers_posts_with_a_person_s_token()
    {
        Uri address = new(Hosts.EnvironmentOf(ManagedIdentityHost.CloudShell)["MSI_ENDPOINT"]);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("resource", Emulator.AzureResource.Resource)]);
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Post, address, form, ("Metadata", "true"));
        Assert.That(Claim(answer.Token, "idtyp"), Is.EqualTo("user"));
        RawAnswer refused = await Raw.SendAsync(HttpMethod.Post, address, null);
        Expect(refused, "metadata_header_missing", 400);
        Assert.That(refused.Json.GetProperty("error").GetProperty("code").GetString(), Is.EqualTo("bad_request_102"));
    }

    [Test]
    public async Task Service_fabric_speaks_tls_and_writes_numbers()
    {
        ManagedIdentity identity = Hosts.AddUserAssigned();
        IReadOnlyDictionary<string, string> environment = Hosts.EnvironmentOf(ManagedIdentityHost.ServiceFabric);
        Uri address = new($"{environment["IDENTITY_ENDPOINT"]}?api-version=2020-05-01&{Resource}&principalId={identity.ObjectId}");
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Get, address, null, ("secret", environment["IDENTITY_HEADER"]));
        Assert.That((address.Scheme, answer.Json.GetProperty("expires_on").GetInt64(), Claim(answer.Token, "oid")), Is.EqualTo(("https", Clock.GetUtcNow().AddDays(1).ToUnixTimeSeconds(), identity.ObjectId)));
        Assert.That(environment["IDENTITY_SERVER_THUMBPRINT"], Has.Length.EqualTo(40));
        Expect(await Raw.GetAsync(address), "identity_header_wrong", 401);
    }

    [Test]
    public async Task Each_host_keeps_to_its_own_port()
    {
        Assert.That((await Raw.GetAsync(new Uri(Emulator.Entra.Authority, "metadata/identity/oauth2/token"))).Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await Raw.GetAsync(new Uri(Hosts.EndpointOf(ManagedIdentityHost.Imds), "/common/discovery/instance"))).Status, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That((await Raw.GetAsync(new Uri(Hosts.EndpointOf(ManagedIdentityHost.Imds), "/servicefabric/identity/token"))).Status, Is.EqualTo(HttpStatusCode.NotFound));
    }

    private async Task<string> ChallengeAsync(Uri address)
    {
        RawAnswer answer = await Raw.SendAsync(HttpMethod.Get, address, null, ("Metadata", "true"));
        Assert.That((answer.Status, answer.Header("WWW-Authenticate").Split('=')[0]), Is.EqualTo((HttpStatusCode.Unauthorized, "Basic realm")));
        return answer.Header("WWW-Authenticate").Split('=')[1];
    }

    private void Expect(RawAnswer answer, string reason, int status, string? error = null)
    {
        Assert.That((int)answer.Status, Is.EqualTo(status), answer.Body);
        if (error is not null)
        {
            Assert.That(answer.Error, Is.EqualTo(error));
            Assert.That(answer.Text("error_description"), Is.Not.Empty);
        }

        Assert.That((Emulator.Ledger.Refusals[^1].Endpoint, Emulator.Ledger.Refusals[^1].Reason), Is.EqualTo((EmulatorEndpoint.ManagedIdentityToken, reason)));
    }
}
