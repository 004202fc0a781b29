using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>Who is at the other end, and that what it got ends with it.</summary>
[Platform("Linux")]
[SupportedOSPlatform("linux")]
internal sealed partial class CallerEndTests
{
    [Test]
    public async Task A_process_that_is_killed_takes_along_what_it_got_and_nothing_else()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false);
        using HttpClient http = job.NewClient();
        string mine = await http.TokenAsync(OAuthCalls.ExchangeAsProcess());
        await using ChildBroker child = ChildBroker.Start("ask", job.Broker.SocketPath!);
        string answer = await child.LineAsync();
        string its = Token().Match(answer).Groups["token"].Value;
        Assert.That(job.IsAlive(its), Is.True, answer);
        Assert.That(its, Is.Not.EqualTo(mine));
        AuditEvent issued = job.Audit.Events.Last(e => e.Kind == AuditEventKind.Issued);
        Assert.That((issued.Caller!.Name, issued.Caller.ProcessId, issued.Caller.UserId), Is.EqualTo(("process", (int?)child.Process.Id, (long?)Peer.CurrentUser)));

        child.Process.Kill();   // SIGKILL

        await Eventually.HoldsAsync(() => !job.IsAlive(its), "what a killed process got is ended", TimeSpan.FromSeconds(20));
        Assert.That(job.IsAlive(mine), Is.True);
        Assert.That(await http.TokenAsync(OAuthCalls.ExchangeAsProcess()), Is.EqualTo(mine));
        await Eventually.HoldsAsync(() => job.Audit.Events.Any(e => e.Kind == AuditEventKind.Revoked && e.FlightId == issued.FlightId && e.Reason!.Contains("its process is gone", StringComparison.Ordinal)), "the audit says why");
    }

    [Test]
    public async Task A_client_that_is_bound_to_a_process_ends_within_a_second_when_that_is_killed()
    {
        var time = new ManualTimeProvider();
        await using BrokerJob job = await BrokerJob.StartAsync(time: time);
        using HttpClient http = job.NewClient();
        await using BrokerClient client = job.Broker.Admit("sleeper");
        using var process = Process.Start("sleep", "600");
        client.BindTo(process.Id);
        string own = TokenOf.Client(client);
        string token = await http.TokenAsync(OAuthCalls.Exchange(own));

        process.Kill();
        await process.WaitForExitAsync();
        time.Advance(TimeSpan.FromSeconds(1));

        await Eventually.HoldsAsync(() => !job.IsAlive(token), "what the client got is ended");
        (int status, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(own));
        Assert.That((status, (string)answer["error"]!), Is.EqualTo((400, "invalid_grant")), "and its token is good for nothing");
    }

    [Test]
    [NonParallelizable]
    public void A_look_that_fails_for_want_of_handles_is_no_death()
    {
        RunningProcess own = RunningProcess.At(Environment.ProcessId)!.Value;
        Assert.That(NativeMethods.getrlimit(NativeMethods.OpenFiles, out NativeMethods.Limit limit), Is.Zero);
        bool runs;
        NativeMethods.Limit none = limit with { Current = 3 };
        Assert.That(NativeMethods.setrlimit(NativeMethods.OpenFiles, in none), Is.Zero);
        try
        {
            runs = own.Runs;
        }
        finally
        {
            _ = NativeMethods.setrlimit(NativeMethods.OpenFiles, in limit);
        }

        Assert.That(runs, Is.True);
        Assert.That(new RunningProcess(own.Id, own.Started + 1).Runs, Is.False, "another one of that number");
        Assert.That((own.Line().Count(), new RunningProcess(own.Id, own.Started + 1).Line().Count()), Is.EqualTo((own.Line().Count(), 1)), "nor has it that one's parents");
    }

    [Test]
    public async Task Where_only_bound_processes_are_served_a_descendant_is_its_client_and_another_process_is_refused()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.OnlyBoundProcesses = true);
        using HttpClient http = job.NewClient();
        await using BrokerClient client = job.Broker.Admit("loader");
        string script = $"read go; curl --silent --header 'Metadata-Flavor: Google' {job.Broker.Address}computeMetadata/v1/instance/service-accounts/default/token";
        using var process = Process.Start(new ProcessStartInfo("sh", ["-c", $"sh -c \"{script.Replace("\"", "\\\"", StringComparison.Ordinal)}\"; true"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        client.BindTo(process.Id);
        await process.StandardInput.WriteLineAsync("go");

        string answer = await process.StandardOutput.ReadToEndAsync();
        using var foreign = new HttpRequestMessage(HttpMethod.Get, "computeMetadata/v1/instance/service-accounts/default/token");
        foreign.Headers.Add("Metadata-Flavor", "Google");
        using HttpResponseMessage refused = await http.SendAsync(foreign);

        Assert.That(answer, Does.Contain("access_token"));
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Issued).Select(e => e.Caller?.Name), Is.EqualTo(new[] { "loader" }));
        Assert.That((int)refused.StatusCode, Is.EqualTo(403), await refused.Content.ReadAsStringAsync());
    }

    [Test]
    public async Task Where_only_bound_processes_are_served_a_client_that_is_never_bound_keeps_no_other_process_waiting()
    {
        var time = new ManualTimeProvider();
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.OnlyBoundProcesses = true, time: time);
        using HttpClient http = job.NewClient();
        Assert.That(job.Broker.Environment, Is.Not.Empty);

        HttpStatusCode early = await StatusAsync();
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.That((early, await StatusAsync()), Is.EqualTo((HttpStatusCode.ServiceUnavailable, HttpStatusCode.Forbidden)));

        async Task<HttpStatusCode> StatusAsync()
        {
            using var get = new HttpRequestMessage(HttpMethod.Get, "computeMetadata/v1/instance/service-accounts/default/token");
            get.Headers.Add("Metadata-Flavor", "Google");
            using HttpResponseMessage answer = await http.SendAsync(get);
            return answer.StatusCode;
        }
    }

    [Test]
    public async Task What_a_process_got_beside_a_clients_token_is_known_to_that_client()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        string own = TokenOf.Client(job.Broker.Environment);
        (int status, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess(), own);
        Assert.That(status, Is.EqualTo(200), answer.ToJsonString());
        string token = (string)answer["access_token"]!;

        (_, JsonObject known) = await http.PostAsync("oauth2/introspect", [new("token", token)], own);
        (int revoked, _) = await http.PostAsync("oauth2/revoke", [new("token", token)], own);

        Assert.That(((bool)known["active"]!, revoked, job.IsAlive(token)), Is.EqualTo((true, 200, false)));
    }

    [Test]
    public async Task A_client_that_is_bound_to_a_process_that_is_gone_ends_at_once()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        await using BrokerClient client = job.Broker.Admit("late");
        string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(client)));
        using var process = Process.Start("true");
        await process.WaitForExitAsync();

        client.BindTo(process.Id);

        await Eventually.HoldsAsync(() => !job.IsAlive(token), "what the client got is ended", TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task A_client_that_ends_while_its_exchange_is_in_the_air_leaves_nothing_behind()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        BrokerClient client = job.Broker.Admit("hasty");
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken, HoldPoint.BeforeAnswer);
        Task<(int Status, JsonObject Answer)> asking = http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(client)));
        await held.Reached;

        await client.DisposeAsync();
        held.Release();

        Assert.That((await asking).Status, Is.EqualTo(401));
        await Eventually.HoldsAsync(() => job.Issued.Single().RevokedAt is not null, "what came late is ended");
    }

    [Test]
    public async Task What_was_renewed_in_the_background_and_not_asked_for_again_ends_with_its_client_too()
    {
        var time = new ManualTimeProvider();
        await using BrokerJob job = await BrokerJob.StartAsync(time: time);
        using HttpClient http = job.NewClient();
        BrokerClient client = job.Broker.Admit("short");
        await using BrokerClient other = job.Broker.Admit("long");
        string file = client.Environment["NHI_BROKER_TOKEN_FILE"], kept = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(other)));
        (_, JsonObject answer) = await http.PostAsync("oauth2/token", OAuthCalls.Exchange(TokenOf.Client(client)));
        time.Advance(TimeSpan.FromSeconds((long)answer["expires_in"]! - 30));
        Assert.That(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(client))), Is.EqualTo((string)answer["access_token"]!), "its successor is on its way");
        await Eventually.HoldsAsync(() => job.Issued.Count == 3, "the successor is issued");

        await client.DisposeAsync();

        await Eventually.HoldsAsync(() => job.Issued.Count(issue => issue.RevokedAt is not null) == 2, "both are ended");
        Assert.That((job.IsAlive(kept), File.Exists(file)), Is.EqualTo((true, false)));
    }

    [Test]
    public async Task What_a_client_gave_back_is_not_ended_once_more_when_it_ends()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        BrokerClient client = job.Broker.Admit("tidy");
        string own = TokenOf.Client(client), token = await http.TokenAsync(OAuthCalls.Exchange(own));
        await http.PostAsync("oauth2/revoke", [new("token", token)], own);

        await client.DisposeAsync();

        Assert.That(job.Log.GetSnapshot().Select(record => record.Message), Has.Some.Contains("is gone (its client was disposed): 0 credentials are ended"));
        Assert.That(job.Audit.Events.Count(e => e.Kind == AuditEventKind.Revoked), Is.EqualTo(1));
    }

    [Test]
    public async Task The_files_of_a_client_go_when_its_process_ends()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        BrokerClient client = job.Broker.Admit("sleeper");
        using var process = Process.Start("sleep", "600");
        client.BindTo(process.Id);
        string token = client.Environment["NHI_BROKER_TOKEN_FILE"], folder = client.Environment["CLOUDSDK_CONFIG"];
        Assert.That((File.Exists(token), Directory.Exists(folder)), Is.EqualTo((true, true)));

        process.Kill();

        await Eventually.HoldsAsync(() => !File.Exists(token) && !Directory.Exists(folder), "its files are gone", TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task What_could_not_be_removed_when_a_client_ended_goes_with_the_broker()
    {
        if (Peer.CurrentUser != 0)
            Assert.Ignore("Only root can make a file that nobody can remove.");
        BrokerJob job = await BrokerJob.StartAsync();
        string folder;
        await using (job)
        {
            BrokerClient client = job.Broker.Admit("gcloud");
            folder = client.Environment["CLOUDSDK_CONFIG"];
            string cached = Path.Combine(folder, "access_tokens.db");
            await File.WriteAllTextAsync(cached, "x");
            using (var lockIt = Process.Start("chattr", ["+i", cached]))
            {
                await lockIt.WaitForExitAsync();
                if (lockIt.ExitCode != 0)
                    Assert.Ignore("This file system knows no such files.");
            }
            try
            {
                await client.DisposeAsync();
                Assert.That(File.Exists(cached), Is.True);
            }
            finally
            {
                using var unlock = Process.Start("chattr", ["-i", cached]);
                await unlock.WaitForExitAsync();
            }
        }

        Assert.That(Directory.Exists(folder), Is.False);
    }

    [Test]
    public async Task The_audit_says_of_all_that_a_client_held_why_it_ended_though_it_waits_for_another()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();
        BrokerClient client = job.Broker.Admit("hasty");
        string own = TokenOf.Client(client), had = await http.TokenAsync(OAuthCalls.Exchange(own));
        HeldRequest held = job.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken, HoldPoint.BeforeAnswer);
        var narrower = OAuthCalls.Exchange(own);
        narrower["scope"] = BrokerJob.NarrowScope;
        Task<(int Status, JsonObject Answer)> asking = http.PostAsync("oauth2/token", narrower);
        await held.Reached;

        await client.DisposeAsync();

        Assert.That(job.IsAlive(had), Is.False, "it is ended when its client is disposed");
        held.Release();
        Assert.That((await asking).Status, Is.EqualTo(401));
        await Eventually.HoldsAsync(() => job.Issued.All(issue => issue.RevokedAt is not null), "what came late is ended, too");
        Assert.That(job.Audit.Events.Where(e => e.Kind == AuditEventKind.Revoked).Select(e => e.Reason), Has.Exactly(1).Contains("its client was disposed").And.None.Contains("before it had it"));
    }

    [Test]
    public async Task A_process_of_another_user_is_refused_though_the_folder_lets_it_in()
    {
        if (Peer.CurrentUser != 0)
            Assert.Ignore("Only root can start a process as another user.");
        await using BrokerJob job = await BrokerJob.StartAsync(loopback: false);
        string socket = job.Broker.SocketPath!;
        await using (ChildBroker outside = ChildBroker.StartAs(65534, "ask", socket))
            Assert.That(await outside.LineAsync(), Is.EqualTo("refused AccessDenied"));
        File.SetUnixFileMode(Path.GetDirectoryName(socket)!, (UnixFileMode)0x1FF);   // 0777
        File.SetUnixFileMode(socket, (UnixFileMode)0x1FF);

        await using ChildBroker child = ChildBroker.StartAs(65534, "ask", socket);
        string answer = await child.LineAsync();

        Assert.That(answer, Does.StartWith("HTTP/1.1 403 ").And.Contains("of user 65534 asks; this broker serves user 0"));
        Assert.That(job.Issued, Is.Empty);
        Assert.That(job.Log.GetSnapshot().Select(record => record.Message), Has.Some.Contains("of user 65534 asks"));
    }

    [Test]
    public async Task Over_loopback_a_process_is_not_enough_where_a_token_has_a_place()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        using HttpClient http = job.NewClient();

        (int without, JsonObject why) = await http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess());
        (int with, _) = await http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess(), TokenOf.Client(job.Broker.Environment));

        Assert.That((without, (string)why["error"]!, with), Is.EqualTo((401, "invalid_client", 200)));
        Assert.That(job.Audit.Events.Last(e => e.Kind == AuditEventKind.Issued).Caller!.ProcessId, Is.EqualTo(Environment.ProcessId));
    }

    [Test]
    public async Task A_broker_that_is_told_to_end_lets_requests_finish_and_ends_the_job()
    {
        await using BrokerJob issuer = await BrokerJob.StartAsync();   // for its emulator
        string folder = Directory.CreateTempSubdirectory("nhi-").FullName;
        try
        {
            string proof = Path.Combine(folder, "proof");
            issuer.Emulator.JobIdentity(ProofShape.GitHub).WriteProofFile(proof, issuer.Emulator.Authorization.Issuer.AbsoluteUri);
            await using ChildBroker child = ChildBroker.Start("serve", Path.Combine(folder, "broker"), issuer.Emulator.Authorization.Issuer.AbsoluteUri, proof, Path.Combine(folder, "journal"));
            string socket = await child.LineAsync();
            using var http = new HttpClient(new SocketsHttpHandler { ConnectCallback = (_, cancellationToken) => BrokerJob.ConnectAsync(socket, cancellationToken) }) { BaseAddress = new Uri("http://localhost/") };
            HeldRequest held = issuer.Emulator.Faults.HoldNext(EmulatorEndpoint.AuthorizationToken);
            Task<(int Status, JsonObject Answer)> asking = http.PostAsync("oauth2/token", OAuthCalls.ExchangeAsProcess());
            await held.Reached.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);

            await ChildBroker.SignalAsync(child.Process.Id, "TERM");
            await Eventually.HoldsAsync(() => !Accepts(socket), "it accepts nothing any more");
            held.Release();
            (int status, JsonObject answer) = await asking;
            await child.Process.WaitForExitAsync();

            Assert.That(status, Is.EqualTo(200), answer.ToJsonString());
            Assert.That(issuer.IsAlive((string)answer["access_token"]!), Is.False);
            Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(folder, "broker")), Is.Empty);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool Accepts(string path)
    {
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        try
        {
            socket.Connect(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    [GeneratedRegex("\"access_token\":\"(?<token>[^\"]+)\"")]
    private static partial Regex Token();

    // getrlimit(2)
    private static class NativeMethods
    {
        public const int OpenFiles = 7;   // RLIMIT_NOFILE

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int getrlimit(int resource, out Limit limit);

        [DllImport("libc", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int setrlimit(int resource, in Limit limit);

        public record struct Limit(ulong Current, ulong Most);
    }
}
