using System.Net.Sockets;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>Where a broker listens, where it does not, and what is left of it.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class StartTests
{
    private string _folder = "";

    [SetUp]
    public void Make() => _folder = Directory.CreateTempSubdirectory("nhi-").FullName;

    [TearDown]
    public void Remove() => Directory.Delete(_folder, recursive: true);

    private static async Task<TokenExchangeException> RefusedAsync(Action<TokenBrokerOptions> options)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        return Assert.ThrowsAsync<TokenExchangeException>(() => TokenBroker.StartAsync(job.Session, o =>
        {
            o.TokenExchange("warehouse");
            options(o);
        }))!;
    }

    [Test]
    public async Task The_socket_is_its_users_alone_and_goes_with_the_broker()
    {
        string? folder;
        await using (BrokerJob job = await BrokerJob.StartAsync(loopback: false))
        {
            folder = Path.GetDirectoryName(job.Broker.SocketPath!);
            Assert.That((int)File.GetUnixFileMode(folder!), Is.EqualTo(Convert.ToInt32("700", 8)));
            Assert.That((int)File.GetUnixFileMode(job.Broker.SocketPath!), Is.EqualTo(Convert.ToInt32("600", 8)));
            Assert.That((int)File.GetUnixFileMode(job.Broker.Environment["NHI_BROKER_TOKEN_FILE"]), Is.EqualTo(Convert.ToInt32("600", 8)));
            Assert.That(job.Broker.Environment.Keys.Order(), Is.EqualTo(new[] { "NHI_BROKER", "NHI_BROKER_TOKEN_FILE" }), "no token in it");
        }
        Assert.That(Directory.Exists(folder), Is.False);
    }

    [Test]
    public async Task A_folder_that_others_may_write_is_refused()
    {
        File.SetUnixFileMode(_folder, (UnixFileMode)0x1FF);

        TokenExchangeException refused = await RefusedAsync(o => o.Folder = _folder);

        Assert.That((refused.Code, refused.Message), Is.EqualTo(("NHI1007", $"NHI1007 The broker's folder '{_folder}' can be written by others than its owner; mode 777. chmod 700 the folder, or name a folder within it, which is made so.")));
    }

    [Test]
    public async Task What_somebody_else_put_where_the_socket_goes_stays_and_what_a_killed_broker_left_is_taken_away()
    {
        string socket = Path.Combine(_folder, "broker.sock");
        await File.WriteAllTextAsync(socket, "mine");
        Assert.That((await RefusedAsync(o => o.Folder = _folder)).Message, Does.Contain("is a regular file, which somebody else put there"));
        Assert.That(await File.ReadAllTextAsync(socket), Is.EqualTo("mine"));
        File.Delete(socket);
        File.CreateSymbolicLink(socket, "/etc/passwd");
        Assert.That((await RefusedAsync(o => o.Folder = _folder)).Message, Does.Contain("is a symbolic link"));
        File.Delete(socket);
        await using ChildBroker child = await KilledAsync(socket);

        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false, o => o.Folder = _folder);
        using HttpClient http = job.NewClient();
        Assert.That(job.IsAlive(await http.TokenAsync(OAuthCalls.ExchangeAsProcess())), Is.True);
        Assert.That((await RefusedAsync(o => o.Folder = _folder)).Message, Does.Contain("another broker listens there"));
        Assert.That(job.IsAlive(await http.TokenAsync(OAuthCalls.ExchangeAsProcess())), Is.True, "the first one goes on");
    }

    [Test]
    public async Task A_path_that_is_too_long_for_a_socket_is_refused()
    {
        string folder = Path.Combine(_folder, new string('x', 100));

        Assert.That((await RefusedAsync(o => o.Folder = folder)).Message, Does.Contain("a socket's may have 107. Name a folder with a shorter path."));
    }

    [Test]
    public async Task Wrong_options_are_named_and_nothing_is_started()
    {
        Assert.That((await RefusedAsync(o => o.TokenExchange("warehous"))).Code, Is.EqualTo("NHI1003"));
        Assert.That((await RefusedAsync(o => o.TokenExchange("archive"))).Code, Is.EqualTo("NHI1004"));
        Assert.That((await RefusedAsync(o => o.RequestsPerSecond = 0)).Message, Is.EqualTo("NHI1001 The broker can't start: RequestsPerSecond is 0, which is out of its range. Give a number from 1 to 100000."));
        Assert.That((await RefusedAsync(o => o.ListenOnLoopback(70_000))).Message, Does.Contain("the port of ListenOnLoopback is 70000"));
        Assert.That((await RefusedAsync(o => o.TokenExchange("lake", "warehouse"))).Message, Does.Contain("TokenExchange maps 'warehouse' to 'warehouse' and to 'lake'"));
        Assert.That((await RefusedAsync(o => o.GoogleMetadata("lakehouse", "a@b", "p").GoogleMetadata("lakehouse", "a@b", "p"))).Message, Does.Contain("GoogleMetadata was called more than once"));
        await using BrokerJob job = await BrokerJob.StartAsync();
        Assert.That((await RefusedAsync(o => o.ListenOnLoopback(job.Broker.Address.Port))).Message, Does.Contain($"port {job.Broker.Address.Port} of 127.0.0.1 can't be listened on"));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => TokenBroker.StartAsync(job.Session, _ => { }))!.Message, Does.Contain("No target is handed out."));
    }

    [TestCase("AzureManagedIdentity")]
    [TestCase("AwsContainerCredentials")]
    [TestCase("GoogleMetadata")]
    public async Task A_protocol_of_SDKs_that_know_no_Unix_sockets_asks_for_loopback(string protocol)
    {
        TokenExchangeException refused = await RefusedAsync(o => _ = protocol switch
        {
            "AzureManagedIdentity" => o.AzureManagedIdentity("lake", "https://storage.azure.com"),
            "AwsContainerCredentials" => o.AwsContainerCredentials("archive"),
            _ => o.GoogleMetadata("lakehouse", "a@b", "p"),
        });

        Assert.That((refused.Code, refused.Message), Is.EqualTo(("NHI1001", refused.Message)));
        Assert.That(refused.Message, Does.Contain($"{protocol} hands out a target over a Unix socket, which SDKs can't reach.").And.Contain("Call ListenOnLoopback"));
    }

    [Test]
    public async Task A_helper_that_knows_Unix_sockets_gets_AWS_credentials_over_one_and_no_variable_leads_SDKs_there()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false, o => o.AwsContainerCredentials("archive", overSocket: true));
        using HttpClient http = job.NewClient();
        using var get = new HttpRequestMessage(HttpMethod.Get, "aws/archive");
        get.Headers.TryAddWithoutValidation("Authorization", TokenOf.Client(job.Broker.Environment));

        using HttpResponseMessage response = await http.SendAsync(get);

        Assert.That((int)response.StatusCode, Is.EqualTo(200));
        Assert.That(job.Broker.Environment.Keys, Is.EquivalentTo(new[] { "NHI_BROKER", "NHI_BROKER_TOKEN_FILE" }));
    }

    [TestCase("")]
    [TestCase(" ")]
    [TestCase("\t")]
    [TestCase("a\nb")]
    [TestCase("a\0")]
    [TestCase("a\u2028b")]
    [TestCase("\u202Esql")]
    public async Task A_client_has_a_name_that_a_log_line_and_a_rule_can_have(string name)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();

        ArgumentException refused = Assert.Throws<ArgumentException>(() => job.Broker.Admit(name))!;

        Assert.That(refused.ParamName, Is.EqualTo("name"));
        Assert.That(refused.Message, Does.Contain("such as psql"));
        Assert.That(job.Broker.Admit("psql 17 (Debian)").Name, Is.EqualTo("psql 17 (Debian)"));
    }

    [Test]
    public async Task It_listens_on_the_one_loopback_address_alone()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        string port = job.Broker.Address.Port.ToString("X4");

        string[] listening = [.. File.ReadLines("/proc/net/tcp").Concat(File.ReadLines("/proc/net/tcp6")).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(row => row[3] == "0A" && row[1].EndsWith($":{port}", StringComparison.Ordinal)).Select(row => row[1])];

        Assert.That(listening, Is.EqualTo(new[] { $"0100007F:{port}" }));
    }

    [Test]
    public async Task What_is_not_handed_out_by_a_protocol_has_no_endpoint()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        await using TokenBroker other = await TokenBroker.StartAsync(job.Session, o => o.ListenOnLoopback().TokenExchange("warehouse"));
        using var http = new HttpClient { BaseAddress = other.Address };
        foreach (string path in new[] { "azure/token", "metadata/identity/oauth2/token", "aws/archive", "computeMetadata/v1/", "" })
        {
            using HttpResponseMessage response = await http.GetAsync(path);
            Assert.That((int)response.StatusCode, Is.EqualTo(404), path);
        }
        Assert.That(other.Environment.Keys, Is.EquivalentTo(new[] { "NHI_BROKER", "NHI_BROKER_TOKEN_FILE" }));
    }

    [Test]
    public async Task Two_brokers_of_one_job_share_no_credential_and_end_none_of_each_other()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        string mine = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));
        string its;
        await using (TokenBroker other = await TokenBroker.StartAsync(job.Session, o => o.ListenOnLoopback().TokenExchange("warehouse")))
        {
            using var beside = new HttpClient { BaseAddress = other.Address };
            its = await beside.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(other.Environment), "warehouse"));
        }

        Assert.That(its, Is.Not.EqualTo(mine));
        Assert.That((job.IsAlive(its), job.IsAlive(mine)), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_broker_that_stops_leaves_the_socket_and_the_files_of_its_successor()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false, o => o.Folder = _folder);
        using HttpClient http = job.NewClient();
        await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.Revocation, HoldPoint.BeforeAnswer);
        Task stopping = job.Broker.DisposeAsync().AsTask();
        await held.Reached;

        await using TokenBroker next = await TokenBroker.StartAsync(job.Session, o =>
        {
            o.Folder = _folder;
            o.TokenExchange("warehouse");
        });
        await using BrokerClient client = next.Admit("psql");
        held.Release();
        await stopping;

        Assert.That((File.Exists(next.SocketPath), TokenOf.Client(client).Length), Is.EqualTo((true, TokenOf.Client(next.Environment).Length)));
    }

    [Test]
    public async Task Each_client_has_a_folder_of_gclouds_own_that_goes_with_it()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        BrokerClient first = job.Broker.Admit("first");
        await using BrokerClient second = job.Broker.Admit("second");
        string written = Path.Combine(first.Environment["CLOUDSDK_CONFIG"], "credentials.db");
        await File.WriteAllTextAsync(written, "an account");
        Assert.That(Directory.GetFileSystemEntries(second.Environment["CLOUDSDK_CONFIG"]), Is.Empty);

        await first.DisposeAsync();

        Assert.That((Directory.Exists(Path.GetDirectoryName(written)), Directory.Exists(second.Environment["CLOUDSDK_CONFIG"])), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task The_broker_ends_with_its_job_and_its_clients_with_it()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

        JobReport report = await job.Broker.DrainAsync();

        Assert.That(job.IsAlive(token), Is.False);
        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo(new[] { LeaseEnd.Revoked }));
        Assert.That(() => http.GetAsync(".well-known/oauth-authorization-server"), Throws.InstanceOf<HttpRequestException>());
        Assert.That(() => job.Broker.Admit("late"), Throws.InvalidOperationException);
    }

    [Test]
    public async Task A_childs_environment_leads_to_the_broker_and_to_nothing_else()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        await using BrokerClient client = job.Broker.Admit("aws");
        var environment = new Dictionary<string, string?> { ["AWS_PROFILE"] = "prod", ["AWS_ACCESS_KEY_ID"] = "x", ["IDENTITY_SERVER_THUMBPRINT"] = "x", ["AZURE_CLIENT_ID"] = "of the platform", ["no_proxy"] = "internal.example", ["PATH"] = "/bin" };

        client.ApplyTo(environment);

        Assert.That(environment.Keys, Has.None.AnyOf("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "IDENTITY_SERVER_THUMBPRINT", "AZURE_CLIENT_ID"));
        Assert.That((environment["no_proxy"], environment["NO_PROXY"], environment["PATH"]), Is.EqualTo(("internal.example,127.0.0.1,localhost", "internal.example,127.0.0.1,localhost", "/bin")));
        Assert.That(environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"], Is.EqualTo($"{job.Broker.Address}aws/archive"));
        Assert.That(new[] { environment["AWS_CONFIG_FILE"], environment["AWS_SHARED_CREDENTIALS_FILE"] }.Select(file => File.ReadAllText(file!)), Is.All.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(environment["CLOUDSDK_CONFIG"]!), Is.Empty);
        await File.WriteAllTextAsync(Path.Combine(environment["CLOUDSDK_CONFIG"]!, "access_tokens.db"), "of gcloud");
        await job.Broker.DisposeAsync();
        Assert.That(Directory.Exists(Path.GetDirectoryName(environment["CLOUDSDK_CONFIG"])), Is.False);
    }

    [Test]
    public async Task A_socket_asks_for_no_exception_of_proxies_and_the_one_client_id_that_there_is_is_named()
    {
        await using BrokerJob socket = await BrokerJob.StartAsync(loopback: false);
        await using BrokerJob user = await BrokerJob.StartAsync(options: o => o.AzureManagedIdentity("lake", "https://vault.azure.net", "11111111-2222-3333-4444-555555555555"));
        await using TokenBroker one = await TokenBroker.StartAsync(user.Session, o => o.ListenOnLoopback().AzureManagedIdentity("lake", "https://vault.azure.net", "11111111-2222-3333-4444-555555555555"));
        var environment = new Dictionary<string, string?> { ["no_proxy"] = "internal.example" };

        await using BrokerClient client = socket.Broker.Admit("psql");
        client.ApplyTo(environment);

        Assert.That((environment["no_proxy"], environment.ContainsKey("NO_PROXY")), Is.EqualTo(("internal.example", false)));
        Assert.That(user.Broker.Environment.Keys, Has.None.EqualTo("AZURE_CLIENT_ID"), "one is asked for without an id");
        Assert.That(one.Environment["AZURE_CLIENT_ID"], Is.EqualTo("11111111-2222-3333-4444-555555555555"));
    }

    // A socket that nobody listens on any more, as a broker that was killed leaves it.
    private async Task<ChildBroker> KilledAsync(string socket)
    {
        ChildBroker child = ChildBroker.Start("serve", _folder, "https://issuer.invalid", Path.Combine(_folder, "proof"), Path.Combine(_folder, "journal"));
        Assert.That(await child.LineAsync(), Is.EqualTo(socket));
        child.Process.Kill();
        await child.Process.WaitForExitAsync();
        Assert.That(File.Exists(socket), Is.True);
        return child;
    }
}
