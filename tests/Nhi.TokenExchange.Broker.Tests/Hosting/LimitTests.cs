using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange.Tests;

/// <summary>Who takes too much is turned away, and leaves the others their room.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed class LimitTests
{
    private static async Task<TcpClient> ConnectAsync(BrokerJob job)
    {
        var one = new TcpClient();
        await one.ConnectAsync("127.0.0.1", job.Broker.Address.Port);
        return one;
    }

    // Connections are looked at side by side: which one is turned away is not which came last.
    private static async Task<Stream> TheClosedOneAsync(IReadOnlyList<Stream> connections)
    {
        Task<Stream> closed = await Task.WhenAny(connections.Select(AfterItsEndAsync)).WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System);
        return await closed;
    }

    // The end of the stream, or a reset.
    private static async Task<Stream> AfterItsEndAsync(Stream stream)
    {
        try
        {
            Assert.That(await stream.ReadAsync(new byte[1]), Is.Zero);
        }
        catch (IOException)
        {
            // A reset.
        }
        return stream;
    }

    private static Task<HttpResponseMessage> WrongTokenAsync(HttpClient http) => http.PostAsync("oauth2/introspect", new FormUrlEncodedContent(new Dictionary<string, string> { ["token"] = "x", ["client_secret"] = "wrong" }));

    [Test]
    public async Task One_connection_more_than_there_may_be_is_closed_at_once_and_its_place_is_free_again()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.MaxConnections = 3);
        TcpClient[] all = [await ConnectAsync(job), await ConnectAsync(job), await ConnectAsync(job), await ConnectAsync(job)];

        await TheClosedOneAsync([.. all.Select(one => one.GetStream())]);
        foreach (TcpClient one in all)
            one.Dispose();

        using HttpClient http = job.NewClient();
        await Eventually.HoldsAsync(() => CanAskAsync(http, job), "there is room again");
    }

    [Test]
    public async Task Over_the_socket_one_process_has_512_connections_and_another_one_is_served()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false);
        var open = new List<Stream>();
        try
        {
            for (int i = 0; i < 513; i++)
                open.Add(await BrokerJob.ConnectAsync(job.Broker.SocketPath!, CancellationToken.None));
            await TheClosedOneAsync(open);

            await using ChildBroker other = ChildBroker.Start("ask", job.Broker.SocketPath!);
            Assert.That(await other.LineAsync(), Does.StartWith("HTTP/1.1 200 "));
        }
        finally
        {
            open.ForEach(one => one.Dispose());
        }
        Assert.That(job.Log.GetSnapshot().Select(record => record.Message), Has.Some.StartsWith("Refused with 429: this process has too many connections"));
    }

    [Test]
    public async Task Over_loopback_another_user_gets_half_of_the_connections_and_this_one_the_rest()
    {
        if (Environment.UserName != "root")
            Assert.Ignore("Only root can start a process as another user.");
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.MaxConnections = 8);
        string script = $"for i in 1 2 3 4 5 6; do exec {{fd}}<>/dev/tcp/127.0.0.1/{job.Broker.Address.Port}; all=\"$all $fd\"; done; for fd in $all; do if read -t 3 -u $fd; [ $? -gt 128 ]; then echo open; else echo closed; fi; done; read wait";
        using var other = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", script]) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        var said = new List<string>();
        for (int i = 0; i < 6; i++)
            said.Add(await other.StandardOutput.ReadLineAsync() ?? "");

        using HttpClient http = job.NewClient();
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));
        other.StandardInput.Close();
        await other.WaitForExitAsync();

        Assert.That(said.CountBy(one => one), Is.EquivalentTo(new[] { KeyValuePair.Create("open", 4), KeyValuePair.Create("closed", 2) }));
        Assert.That(job.IsAlive(token), Is.True);
        Assert.That(job.Log.GetSnapshot().Select(record => record.Message), Has.Exactly(2).Contains("the rest is for this broker's own user (none; asked by an unknown process of user 65534)"));
    }

    [Test]
    public async Task Where_there_are_as_many_clients_as_may_be_one_more_is_refused_until_one_has_ended()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.MaxClients = 2);
        BrokerClient first = job.Broker.Admit("first");
        await using BrokerClient second = job.Broker.Admit("second");

        Assert.That(() => job.Broker.Admit("third"), Throws.InvalidOperationException.With.Message.Contains("There are 2 clients, as many as TokenBrokerOptions.MaxClients allows."));
        await first.DisposeAsync();

        await using BrokerClient third = job.Broker.Admit("third");
        using HttpClient http = job.NewClient();
        Assert.That(job.IsAlive(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(third)))), Is.True);
    }

    [Test]
    public async Task Where_as_many_processes_hold_credentials_as_may_one_more_is_told_to_wait()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false, options: o => o.MaxClients = 1);
        using HttpClient http = job.NewClient();
        string mine = await http.TokenAsync(OAuthCalls.ExchangeAsProcess());

        await using ChildBroker other = ChildBroker.Start("ask", job.Broker.SocketPath!);
        string answer = await other.LineAsync();

        Assert.That(answer, Does.StartWith("HTTP/1.1 429 ").And.Contain("Retry-After: 1").And.Contain("1 processes hold credentials, as many as may"));
        Assert.That(await http.TokenAsync(OAuthCalls.ExchangeAsProcess()), Is.EqualTo(mine));
    }

    [Test]
    public async Task A_request_that_takes_longer_than_the_drain_is_cut_off_and_what_it_was_to_get_is_ended()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.DrainWithin = TimeSpan.Zero);
        using HttpClient http = job.NewClient();
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken, HoldPoint.BeforeAnswer);
        Task<(int Status, JsonObject Answer)> asking = http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));
        await held.Reached;

        await job.Broker.DisposeAsync();

        Assert.That(async () => await asking, Throws.InstanceOf<HttpRequestException>());
        held.Release();
        await Eventually.HoldsAsync(() => job.Issued.Single().RevokedAt is not null, "what came late is ended");
    }

    [Test]
    public async Task Who_proves_nothing_is_answered_for_a_while_then_told_to_wait_and_who_proves_himself_is_served()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(time: new ManualTimeProvider());
        using HttpClient http = job.NewClient();
        var answers = new List<int>();

        for (int i = 0; i < 120; i++)
        {
            using HttpResponseMessage response = await WrongTokenAsync(http);
            answers.Add((int)response.StatusCode);
            Assert.That(response.Headers.ConnectionClose, Is.True, "he holds no place");
            if (answers[^1] == 429)
                Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromMinutes(1)));
        }
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

        Assert.That(answers, Is.EqualTo(Enumerable.Repeat(401, 100).Concat(Enumerable.Repeat(429, 20))));
        Assert.That(job.IsAlive(token), Is.True);
    }

    [Test]
    public async Task Who_asks_for_what_is_not_there_proves_nothing_either_and_is_told_to_wait_with_the_reason()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(time: new ManualTimeProvider());
        using HttpClient http = job.NewClient();
        var answers = new List<(int, bool?)>();
        string said = "";

        for (int i = 0; i < 120; i++)
        {
            using HttpResponseMessage response = await http.GetAsync("nothing");
            answers.Add(((int)response.StatusCode, response.Headers.ConnectionClose));
            said = await response.Content.ReadAsStringAsync();
        }

        Assert.That(answers, Is.EqualTo(Enumerable.Repeat<(int, bool?)>((404, true), 100).Concat(Enumerable.Repeat<(int, bool?)>((429, true), 20))));
        Assert.That(said, Does.Contain("there is nothing here; and too many requests"));
    }

    [Test]
    public async Task A_client_that_shows_another_clients_token_as_its_subject_is_no_stranger()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        await using BrokerClient one = job.Broker.Admit("one"), another = job.Broker.Admit("another");
        using var post = new HttpRequestMessage(HttpMethod.Post, "oauth2/token") { Content = new FormUrlEncodedContent(OAuthCalls.Exchange(TokenOf.Client(another))) };
        post.Headers.Authorization = new("Bearer", TokenOf.Client(one));

        using HttpResponseMessage response = await http.SendAsync(post);

        Assert.That(((int)response.StatusCode, response.Headers.ConnectionClose ?? false), Is.EqualTo((400, false)));
        Assert.That(job.Audit.Events.Select(e => e.Kind), Has.None.EqualTo(AuditEventKind.CallerRefused));
    }

    [Test]
    public async Task The_connection_of_a_client_that_proved_itself_stays_open_where_it_is_refused()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        using HttpResponseMessage response = await http.PostAsync("oauth2/token", new FormUrlEncodedContent(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment), "https://elsewhere.example")));

        Assert.That(((int)response.StatusCode, response.Headers.ConnectionClose ?? false), Is.EqualTo((400, false)));
    }

    [Test]
    public async Task A_body_over_64_KiB_is_refused_before_it_is_read()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using TcpClient one = await ConnectAsync(job);
        await one.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /oauth2/token HTTP/1.1\r\nHost: {job.Broker.Address.Authority}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 65537\r\n\r\n"));

        byte[] answer = new byte[12];
        await one.GetStream().ReadExactlyAsync(answer);

        Assert.That(Encoding.ASCII.GetString(answer), Is.EqualTo("HTTP/1.1 413"));
    }

    private static async Task<bool> CanAskAsync(HttpClient http, BrokerJob job)
    {
        try
        {
            return job.IsAlive(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment))));
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
