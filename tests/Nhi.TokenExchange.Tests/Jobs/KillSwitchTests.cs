using System.Diagnostics;

namespace Nhi.TokenExchange.Tests;

/// <summary>The operator's switch: a file that revokes the job when it appears.</summary>
internal sealed class KillSwitchTests
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);

    private string _folder = "";

    private string Switch => Path.Combine(_folder, "kill");

    [SetUp]
    public void MakeAFolder() => _folder = Directory.CreateTempSubdirectory("nhi-switch-").FullName;

    [TearDown]
    public void RemoveIt()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task The_file_revokes_the_job_with_its_first_line_and_its_owner()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        job.Time.Advance(Look * 10);
        Assert.That(job.Warehouse.TryGet(out _), Is.True, "the switch is not thrown");

        await File.WriteAllTextAsync(Switch, "incident 4711, ann\r\nmore\n");
        job.Time.Advance(Look);

        Assert.That(job.Warehouse.TryGet(out _), Is.False);
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(error.Code, Is.EqualTo("NHI7002"));
        string who = UnixFile.IsSupported ? $"the file '{Switch}' of user {UnixFile.CurrentUser}" : $"the file '{Switch}'";
        Assert.That(job.Audit.Events[^1].Reason, Is.EqualTo($"the job was revoked by {who}: incident 4711, ann"));
        Assert.That(report.Leases.Single().End, Is.EqualTo(LeaseEnd.Revoked));
        Assert.That(job.Time.PendingTimers, Is.Zero, "nobody looks any more");
    }

    [Test]
    public async Task A_job_that_starts_beside_a_thrown_switch_sends_nothing()
    {
        await File.WriteAllTextAsync(Switch, "");
        await using TestJob job = await StartAsync();

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That(error.Code, Is.EqualTo("NHI7002"));
        Assert.That(error.Message, Does.Contain("no reason was given"));
        Assert.That(job.Issuer.Requests, Is.Empty);
    }

    [Test]
    public async Task A_long_text_that_is_none_is_cut_and_cleaned()
    {
        await using TestJob job = await StartAsync();
        await File.WriteAllBytesAsync(Switch, [.. Enumerable.Repeat<byte>(0xff, 100_000)]);
        job.Time.Advance(Look);
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That(error.Message, Has.Length.LessThan(700).And.Contains("\ufffd\ufffd").And.Contains("…"));
    }

    [Test]
    public async Task A_folder_of_that_name_counts_as_well()
    {
        await using TestJob job = await StartAsync();
        Directory.CreateDirectory(Switch);
        job.Time.Advance(Look);
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI7002"));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_fifo_holds_nobody_up()
    {
        await using TestJob job = await StartAsync();
        using (Process mkfifo = Process.Start("mkfifo", [Switch]))
        {
            await mkfifo.WaitForExitAsync();
            Assert.That(mkfifo.ExitCode, Is.Zero);
        }
        job.Time.Advance(Look);
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Message, Does.Contain("it is a FIFO and was not read"));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_link_of_the_jobs_own_user_is_followed_as_in_a_mounted_ConfigMap()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "..2026"));
        await using TestJob job = await StartAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "..2026", "kill"), "stop all");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "..data"), "..2026");
        File.CreateSymbolicLink(Switch, "..data/kill");
        job.Time.Advance(Look);
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Message, Does.Contain(": stop all;"));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_link_that_another_user_made_throws_the_switch_and_is_not_read()
    {
        if (UnixFile.CurrentUser != 0)
            Assert.Ignore("only root can give a link to another user");
        string secret = Path.Combine(_folder, "of-root");
        await File.WriteAllTextAsync(secret, "what only root may read");
        await using TestJob job = await StartAsync();
        File.CreateSymbolicLink(Switch, secret);
        using (Process chown = Process.Start("chown", ["-h", "65534", Switch]))
        {
            await chown.WaitForExitAsync();
            Assert.That(chown.ExitCode, Is.Zero);
        }
        job.Time.Advance(Look);
        Assert.That(
            Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Message,
            Does.Contain("of user 65534: the file is a link of another user and was not read").And.Not.Contain("only root may read"));
    }

    [Test]
    [Platform("Linux")]
    public async Task A_link_that_takes_the_files_place_between_look_and_opening_is_not_followed()
    {
        if (UnixFile.CurrentUser != 0)
            Assert.Ignore("only root can give a link to another user");
        string secret = Path.Combine(_folder, "of-root"), link = Path.Combine(_folder, "link"), file = Path.Combine(_folder, "file");
        await File.WriteAllTextAsync(secret, "what only root may read");
        File.CreateSymbolicLink(link, secret);
        using (Process chown = Process.Start("chown", ["-h", "65534", link]))
        {
            await chown.WaitForExitAsync();
            Assert.That(chown.ExitCode, Is.Zero);
        }
        await File.WriteAllTextAsync(file, "stop");
        bool isOver = false;
        // As fast as renames go: the link is under the switch's name half of the time.
        Task swapping = Task.Run(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                foreach (string one in (string[])[file, link])
                {
                    File.Move(one, Switch);
                    File.Move(Switch, one);
                }
            }
        });
        var messages = new List<string>();
        for (int i = 0; i < 1000; i++)
        {
            await using TestJob job = await StartAsync();
            job.Time.Advance(Look);
            try
            {
                await job.Warehouse.GetAsync();
            }
            catch (TokenExchangeException revoked)
            {
                messages.Add(revoked.Message);
            }
        }
        Volatile.Write(ref isOver, true);
        await swapping;

        TestContext.Out.WriteLine($"{messages.Count} of 1000 met the file or the link, {messages.Count(message => message.Contains("link", StringComparison.Ordinal))} the link");
        Assert.That(messages, Is.Not.Empty.And.All.Not.Contains("only root may read"));
    }

    [Test]
    public async Task A_folder_that_goes_is_told_once_and_the_switch_works_when_it_is_back()
    {
        using var logged = new LoggedText();
        await using TestJob job = await StartAsync(b => b.Logging(logged));
        Directory.Delete(_folder);
        job.Time.Advance(Look * 3);
        await job.Warehouse.GetAsync();
        Directory.CreateDirectory(_folder);
        job.Time.Advance(Look);
        Directory.Delete(_folder);
        job.Time.Advance(Look);
        Directory.CreateDirectory(_folder);
        await File.WriteAllTextAsync(Switch, "now");
        job.Time.Advance(Look);

        Assert.That(logged.Text.Split($"The kill switch {Switch} can't be thrown: its folder is not there"), Has.Length.EqualTo(3), "once for each time it went");
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!.Code, Is.EqualTo("NHI7002"));
    }

    [Test]
    public async Task Each_job_of_a_factory_is_revoked_and_new_ones_start_once_the_file_is_gone()
    {
        var time = new ManualTimeProvider();
        SessionPlan plan = Compose(new TokenExchangeBuilder(), time).KillSwitch(Switch).Freeze();
        await using var factory = new JobSessionFactory(plan);
        await using JobSession one = await factory.StartAsync(new JobContext { Run = "1" });
        await using JobSession two = await factory.StartAsync(new JobContext { Run = "2" });
        await File.WriteAllTextAsync(Switch, "stop");
        time.Advance(Look);
        File.Delete(Switch);
        await using JobSession three = await factory.StartAsync(new JobContext { Run = "3" });

        foreach (JobSession revoked in (JobSession[])[one, two])
            Assert.That(Assert.ThrowsAsync<TokenExchangeException>(async () => await revoked.Provider<BearerToken>("warehouse").GetAsync())!.Code, Is.EqualTo("NHI7002"));
        await three.Provider<BearerToken>("warehouse").GetAsync();
    }

    [TestCase("kill")]
    [TestCase("~/kill")]
    [TestCase("/run/kill/")]
    public void A_path_that_is_no_files_is_refused(string path) =>
        Assert.That(Compose(new TokenExchangeBuilder(), new ManualTimeProvider()).KillSwitch(path).Freeze, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("KillSwitch: is not the absolute path of a file"));

    [Test]
    public void A_switch_that_cannot_be_thrown_is_refused_at_the_start()
    {
        string path = Path.Combine(_folder, "missing", "kill");
        Assert.That(Compose(new TokenExchangeBuilder(), new ManualTimeProvider()).KillSwitch(path).Freeze, Throws.TypeOf<TokenExchangeException>().With.Message.Contains("KillSwitch: is in a folder that is not there"));
    }

    // As one in a folder that the job's user may not search; the tests run as root, who may.
    [Test]
    public void A_file_that_could_never_be_seen_is_refused_at_the_start() =>
        Assert.That(
            Compose(new TokenExchangeBuilder(), new ManualTimeProvider()).KillSwitch(Path.Combine(_folder, new string('x', 300))).Freeze,
            Throws.TypeOf<TokenExchangeException>().With.Message.Contains("or can't look into").And.Message.Contains("let this user search it"));

    private Task<TestJob> StartAsync(Action<TokenExchangeBuilder>? more = null) => TestJob.StartAsync(more: b =>
    {
        b.KillSwitch(Switch);
        more?.Invoke(b);
    });

    private static TokenExchangeBuilder Compose(TokenExchangeBuilder builder, ManualTimeProvider time) =>
        builder.Identity("job", TestProofs.Source(time), ActsFor.Workload).Target("warehouse", new TestExchanger(time), "job", "read").Time(time).EndOnSignals(false);
}
