using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nhi.TokenExchange.Tests.Exchange;
using static Nhi.TokenExchange.Tests.Exchange.WireCalls;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>The network to the issuer. N2, N6, N10 are with the back channel, N7 to N9, N12 and N13 with addresses, certificates and the lossy wire.</summary>
internal sealed class NetworkFaultTests
{
    [TestCase(SocketError.HostNotFound)]
    [TestCase(SocketError.TryAgain)]
    [TestCase(SocketError.NoRecovery)]
    public async Task N1_A_name_that_is_not_found_is_transient_and_told_by_its_name(SocketError error)
    {
        TokenExchangeException failure = await FailureAsync(new Uri("https://issuer.example/"), transport: () => IssuerSockets.Create((_, _) => throw new SocketException((int)error)));

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerUnreachable, true)));
        Assert.That(failure.Message, Does.Contain("issuer.example"));
    }

    [Test]
    public async Task N1_A_slow_name_service_is_bounded_by_the_calls_deadline()
    {
        var time = new ManualTimeProvider();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<TokenExchangeException> failing = FailureAsync(new Uri("https://issuer.example/"), time, () => IssuerSockets.Create(async (_, cancellationToken) =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return [];
        }));
        await asked.Task;
        time.Advance(IssuerBackchannel.CallDeadline);

        TokenExchangeException failure = await failing;
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.DeadlineExceeded, true)));
    }

    // A full backlog: the kernel answers no further attempt to connect.
    [Test]
    public async Task N3_A_black_hole_ends_at_the_connections_own_limit_or_at_the_calls_deadline()
    {
        using SocketsHttpHandler sockets = IssuerSockets.Create();
        Assert.That(sockets.ConnectTimeout, Is.EqualTo(TimeSpan.FromSeconds(5)));
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        int port = ((IPEndPoint)full.LocalEndPoint!).Port;
        List<Socket> fill = [.. Enumerable.Range(0, 8).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket one in fill)
            _ = one.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).ContinueWith(done => done.Exception, TaskScheduler.Default);
        var time = new ManualTimeProvider();
        var opened = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<TokenExchangeException> failing = FailureAsync(new Uri($"http://127.0.0.1:{port}/"), time, () => IssuerSockets.Create(open: family =>
        {
            opened.TrySetResult();
            return new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        }));
        await opened.Task;
        time.Advance(IssuerBackchannel.CallDeadline);

        TokenExchangeException failure = await failing;
        Assert.That(failure.IsTransient);
        Assert.That(failure.Code, Is.AnyOf(ErrorCodes.DeadlineExceeded, ErrorCodes.IssuerUnreachable));
        fill.ForEach(one => one.Dispose());
    }

    private static IEnumerable<TestCaseData> Breaks() =>
    [
        new TestCaseData(ProxyFault.Drop(), 1).SetArgDisplayNames("before"),
        new TestCaseData(ProxyFault.ResetAfterRequest(40), 1).SetArgDisplayNames("in the request"),
        new TestCaseData(ProxyFault.ResetAfterAnswer(0), 2).SetArgDisplayNames("before the answer"),
        new TestCaseData(ProxyFault.ResetAfterAnswer(60), 2).SetArgDisplayNames("in the answer"),
    ];

    // A grant of RFC 8693 does no harm twice; what was issued to nobody can't be revoked by anybody, and dies by itself.
    [TestCaseSource(nameof(Breaks))]
    public async Task N4_A_connection_that_breaks_before_in_or_after_the_answer_costs_one_more_request_and_the_job_gets_one_credential(ProxyFault fault, int issued)
    {
        FaultProxy? proxy = null;
        await using EmulatedJob job = await EmulatedJob.StartAsync(target: (options, emulator) =>
        {
            proxy = FaultProxy.Start(emulator.Authorization.TokenEndpoint, TimeProvider.System);
            (options.TokenEndpoint, options.RevocationEndpoint) = (proxy.Address, emulator.Authorization.RevocationEndpoint);
        });
        await using FaultProxy inFront = proxy!;
        inFront.Next(fault);

        BearerToken token = await job.Warehouse.GetAsync();

        Assert.That((job.Emulator.Ledger.Issued.Count, job.Audit.Kinds.Count(kind => kind == AuditEventKind.Issued)), Is.EqualTo((issued, 1)));
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.AllEnded);
        Assert.That(job.Emulator.Ledger.IsAlive(token.Fingerprint), Is.False);
    }

    [Test]
    public async Task N5_A_connection_that_a_firewall_forgot_ends_with_its_call_and_the_next_call_has_a_fresh_one()
    {
        var forgotten = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        Task serving = ServeAsync(server, forgotten);
        var time = new ManualTimeProvider();
        using HttpMessageInvoker channel = WireSamples.Backchannel(time);
        var uri = new Uri($"http://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/");
        async Task<HttpStatusCode> GetAsync()
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, uri);
            using HttpResponseMessage response = await channel.SendAsync(get, default);
            return response.StatusCode;
        }

        Assert.That(await GetAsync(), Is.EqualTo(HttpStatusCode.OK));
        Task<HttpStatusCode> overTheForgotten = GetAsync();
        await forgotten.Task;
        time.Advance(IssuerBackchannel.CallDeadline);
        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => overTheForgotten)!;

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.DeadlineExceeded, true)));
        Assert.That(await GetAsync(), Is.EqualTo(HttpStatusCode.OK));
        server.Stop();
        await serving;
    }

    // A TLS alert of level fatal: 70 is protocol_version, 40 is handshake_failure.
    [TestCase(70)]
    [TestCase(40)]
    public async Task N7_An_issuer_that_speaks_another_TLS_only_is_told_with_host_and_is_final(int alert)
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        Task serving = Task.Run(async () =>
        {
            using TcpClient client = await server.AcceptTcpClientAsync();
            NetworkStream stream = client.GetStream();
            _ = await stream.ReadAsync(new byte[4096]);
            await stream.WriteAsync(new byte[] { 0x15, 0x03, 0x03, 0, 2, 2, (byte)alert });
            client.Client.Shutdown(SocketShutdown.Send);
            try
            {
                _ = await stream.ReadAsync(new byte[4096]);
            }
            catch (IOException)
            {
                // The client went away the hard way.
            }
        });
        TokenExchangeException failure = await FailureAsync(new Uri($"https://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}/"));

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo((ErrorCodes.IssuerUnreachable, false)));
        Assert.That(failure.Message, Does.Contain("TLS with host 127.0.0.1 failed"));
        await serving;
    }

    // HTTP/1.1 is spoken, so a server can only send such frames in the place of an answer.
    [TestCase("\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    [TestCase("\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08")]
    public async Task N11_A_GOAWAY_or_a_stream_reset_is_a_broken_connection_and_is_tried_again(string frame)
    {
        await using ScriptedIssuer issuer = ScriptedIssuer.InOrder(ScriptedAnswer.Raw(frame), ScriptedAnswer.Json("{}"));
        using HttpResponseMessage response = await GetAsync(issuer.Uri);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(issuer.Requests, Has.Count.EqualTo(2));
    }

    // In place of a process that really has no descriptor left: there the runtime itself ends with "out of memory" now and then.
    [Test]
    public async Task N14_Without_a_descriptor_left_an_exchange_fails_in_passing_and_all_descriptors_come_back()
    {
        bool isExhausted = true;
        var opened = new ConcurrentBag<Socket>();
        await using var issuer = new ScriptedIssuer(request => ScriptedAnswer.Json(request.Path == "/token" ? WireSamples.Answer() : "{}"));
        await using JobSession job = await ScriptedJob.StartAsync(issuer.Uri, more: b => b.Transport(() => IssuerSockets.Create(open: family =>
        {
            if (isExhausted)
                throw new SocketException((int)SocketError.TooManyOpenSockets);
            var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
            opened.Add(socket);
            return socket;
        })).Target("lake", Targets.Rfc8693(issuer.Uri, o => (o.TokenEndpoint, o.RevocationEndpoint) = (new Uri(issuer.Uri, "/token"), new Uri(issuer.Uri, "/revoke"))), "job", "read"));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => warehouse.GetAsync().AsTask())!;
        isExhausted = false;
        BearerToken served = await job.Provider<BearerToken>("lake").GetAsync();   // the failure of the first is remembered for seconds
        JobReport report = await job.CompleteAsync();
        await job.Released;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo((ErrorCodes.IssuerUnreachable, true)));
        Assert.That(refused.Message, Does.Contain("TooManyOpenSockets"));
        Assert.That((served.Reveal(), report.AllEnded), Is.EqualTo((WireSamples.Token, true)));
        Assert.That(opened, Is.Not.Empty);
        Assert.That(opened.Where(socket => !socket.SafeHandle.IsClosed), Is.Empty);
    }

    // Answers the first request of the first connection, then nothing more on it; answers all others.
    private static async Task ServeAsync(TcpListener server, TaskCompletionSource forgotten)
    {
        var open = new List<TcpClient>();
        try
        {
            while (true)
            {
                TcpClient client = await server.AcceptTcpClientAsync();
                open.Add(client);
                NetworkStream stream = client.GetStream();
                byte[] buffer = new byte[4096];
                _ = await stream.ReadAsync(buffer);
                await stream.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"));
                if (open.Count > 1)
                    continue;
                _ = await stream.ReadAsync(buffer);
                forgotten.SetResult();
            }
        }
        catch (Exception stopped) when (stopped is SocketException or ObjectDisposedException or InvalidOperationException)   // the last: it was between two connections when it was stopped
        {
            open.ForEach(client => client.Dispose());
        }
    }
}
