using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>What a job writes down, when, and what becomes of it.</summary>
internal sealed class JobJournalTests : JournalFixture
{
    private string Text
    {
        get
        {
            // The framework would ask for the lock that its job holds.
            using SafeFileHandle handle = UnixOpen.ToRead(Files().Single());
            byte[] bytes = new byte[RandomAccess.GetLength(handle)];
            return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
        }
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task The_exchange_is_written_down_before_it_is_sent_and_the_credential_before_it_is_recorded_and_handed_out()
    {
        string beforeExchange = "", beforeRecord = "";
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ =>
        {
            beforeExchange = Text;
            return new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = "lease/one" };
        };
        job.Audit.Refuse = one =>
        {
            if (one.Kind == AuditEventKind.Issued)
                beforeRecord = Text;
            return null;
        };

        BearerToken token = await job.Warehouse.GetAsync();

        string[] lines = beforeRecord.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(beforeExchange.Split('\n', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(lines[..2]));
        Assert.That(lines, Has.Length.EqualTo(3));
        Assert.That(lines[0], Does.Contain("\"job.Pipeline\":\"orders-nightly\"").And.Contain("\"version\":2"));
        Assert.That(lines[1], Does.Contain("\"target\":\"warehouse\",\"issuer\":\"https://issuer.test/\"").And.Not.Contain("fingerprint"));
        Assert.That(lines[2], Does.Contain($"\"fingerprint\":\"{token.Fingerprint}\",\"handle\":\"lease/one\""));
        Assert.That(Text, Does.Not.Contain(token.Reveal()));
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    [Platform("Linux")]
    public async Task It_is_its_users_alone()
    {
        await using TestJob job = await StartAsync();
        Assert.That(File.GetUnixFileMode(Files().Single()), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(File.GetUnixFileMode(Journals), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
    }

    [Test]
    public async Task It_is_gone_when_the_job_has_ended_in_order()
    {
        await using TestJob job = await StartAsync();
        await job.Warehouse.GetAsync();
        Assert.That(Files(), Has.Length.EqualTo(1));
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task What_a_job_could_not_end_is_left_to_the_next_which_revokes_it_by_its_handle()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.OnRevoke = _ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        BearerToken token = await job.Warehouse.GetAsync();
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.AllEnded, Is.False);
        RevocationRequest<BearerToken>? asked = null;

        await using TestJob next = await StartAsync();
        next.Issuer.OnRevoke = request =>
        {
            asked = request;
            return Task.FromResult(Revocation.AlreadyGone);
        };
        RecoveryReport recovery = await next.Session.WaitForRecoveryAsync();

        Assert.That((asked!.Credential, asked.Handle, asked.Target), Is.EqualTo(((BearerToken?)null, "lease/" + token.Fingerprint, "warehouse")));
        Assert.That(recovery.Jobs.Single().Leases.Select(lease => (lease.Fingerprint, lease.End)), Is.EqualTo(new[] { (token.Fingerprint, LeaseEnd.AlreadyGone) }));
    }

    [Test]
    public async Task What_could_not_be_ended_and_has_no_handle_is_told_by_the_next_start_once_with_its_end()
    {
        await using TestJob job = await StartAsync(hasHandles: false);
        job.Issuer.OnRevoke = _ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        BearerToken token = await job.Warehouse.GetAsync();
        Assert.That((await job.Session.CompleteAsync()).AllEnded, Is.False);

        await using TestJob next = await StartAsync();
        RecoveryReport recovery = await next.Session.WaitForRecoveryAsync();

        LeaseOutcome left = recovery.Jobs.Single().Leases.Single();
        Assert.That((left.Fingerprint, left.End, left.DiesAt), Is.EqualTo((token.Fingerprint, LeaseEnd.CannotBeRevoked, token.ExpiresAt)));
        Assert.That(recovery.ToString(), Does.Contain("ended and left this): warehouse").And.Contain("dies by itself"));
        Assert.That(next.Audit.Events.Single(one => one.Fingerprint == token.Fingerprint).Kind, Is.EqualTo(AuditEventKind.Recovered));
        Assert.That(Files(), Has.Length.EqualTo(1), "its own");
    }

    [Test]
    public async Task An_exchange_that_fails_leaves_nothing()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "no");
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        await job.QuietAsync();
        Assert.That((await job.Session.CompleteAsync()).AllEnded, Is.True);
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task An_exchange_that_the_job_s_end_kept_from_being_sent_leaves_nothing()
    {
        await using TestJob job = await StartAsync();
        Task<JobReport> ending = Task.FromResult<JobReport>(null!);
        job.Policy.Before = cancellationToken =>
        {
            ending = job.Session.CompleteAsync(CancellationToken.None);
            Blocking.Wait(Eventually.HoldsAsync(() => cancellationToken.IsCancellationRequested, "the flight hearing of the job's end"));
            return Task.CompletedTask;   // decided before anybody could look
        };
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        await ending;
        await job.Session.Released;

        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_job_that_cannot_start_leaves_none()
    {
        Assert.That(() => TestJob.StartAsync(more: b => b.Journal(Journals).Policy(new PolicyWithoutToken())), Throws.TypeOf<NotSupportedException>());
        Assert.That(Files(), Is.Empty);
        await using TestJob next = await StartAsync();
        Assert.That((await next.Session.WaitForRecoveryAsync()).Refused, Is.Empty);
    }

    [Test]
    public void A_job_that_says_more_of_itself_than_a_line_holds_is_refused_by_name()
    {
        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(() => TestJob.StartAsync(more: b => b.Journal(Journals).Job(new JobContext { Pipeline = new string('x', 40_000) })))!;
        Assert.That(error.Code, Is.EqualTo("NHI7004"));
        Assert.That(error.Message, Does.Contain("a line of 4").And.Contain("say less of the job"));
        Assert.That(Files(), Is.Empty);
    }

    [TestCase(Revocation.Revoked, LeaseEnd.Revoked)]
    [TestCase(Revocation.AlreadyGone, null)]
    [TestCase(null, LeaseEnd.Failed)]
    public async Task What_a_failed_exchange_may_have_made_is_ended_by_the_handle_that_its_exchanger_had_chosen(Revocation? answer, LeaseEnd? end)
    {
        var asked = new System.Collections.Concurrent.ConcurrentQueue<(Credential?, string?)>();
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = request =>
        {
            Blocking.Wait(request.AnnounceHandleAsync("login/one", CancellationToken.None).AsTask());
            throw new IOException("the connection broke");
        };
        job.Issuer.OnRevoke = request =>
        {
            asked.Enqueue((request.Credential, request.Handle));
            return answer is { } said ? Task.FromResult(said) : throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        };
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        await job.QuietAsync();

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(asked, Is.EqualTo(new[] { ((Credential?)null, (string?)"login/one") }));
        Assert.That(report.Leases.Select(lease => (LeaseEnd?)lease.End), end is null ? Is.Empty : Is.EqualTo(new[] { end }));
        Assert.That(Files(), Has.Length.EqualTo(answer is null ? 1 : 0), "what could not be ended is left to the next start");
    }

    [Test]
    public async Task An_exchanger_that_says_that_nothing_was_made_is_believed()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = request =>
        {
            Blocking.Wait(request.AnnounceHandleAsync("login/one", CancellationToken.None).AsTask());
            throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "no");
        };
        int asked = 0;
        job.Issuer.OnRevoke = _ => Task.FromResult(Interlocked.Increment(ref asked) > 0 ? Revocation.Revoked : Revocation.AlreadyGone);
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        await job.QuietAsync();
        await job.Session.CompleteAsync();

        Assert.That(asked, Is.Zero);
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_handle_that_cannot_be_written_down_is_an_error_and_its_credential_is_ended()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = new string('x', 40_000) };

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That(error.Code, Is.EqualTo("NHI6001"));
        Assert.That(error.Message, Does.Contain($"The journal '{Files().Single()}' could not be written").And.Contain("a line of"));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(job.Audit.Kinds, Does.Not.Contain(AuditEventKind.Issued));
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty, "nothing is left to do about it");
    }

    [Test]
    public async Task A_credential_that_is_given_as_its_own_handle_is_never_written()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ =>
        {
            BearerToken token = job.Issuer.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = token.Reveal() };
        };

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That(error.Message, Does.Contain("gave the credential itself as its RevocationHandle"));
        if (!OperatingSystem.IsWindows())
            Assert.That(Text, Does.Not.Contain(job.Issuer.Issued.Single().Reveal()));
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty, "nothing is left to do about it");
    }

    [Test]
    [Platform("Linux")]
    public async Task A_full_disk_hands_nothing_out_and_one_with_room_again_does()
    {
        Directory.CreateDirectory(Journals);
        if (await RunAsync("mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", Journals) != 0)
            Assert.Ignore("only root may mount a small disk");
        try
        {
            await using TestJob job = await StartAsync();
            await job.Warehouse.GetAsync();
            string ballast = Path.Combine(Journals, "ballast");
            Assert.That(() => File.WriteAllBytes(ballast, new byte[80_000]), Throws.InstanceOf<IOException>());
            // What is left of the last page takes some lines more.
            TokenExchangeException? error = null;
            for (int i = 0; i < 100 && error is null; i++)
                error = await NextAsync(job);
            await job.QuietAsync();
            Assert.That(error!.Code, Is.EqualTo("NHI6001"), error.Message);
            Assert.That(error.IsTransient);
            Assert.That(job.Audit.Events.Count(one => one.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed), Is.EqualTo(job.Issuer.Issued.Count(token => !job.Issuer.Revoked.Contains(token))), "what was not written down was ended");

            File.Delete(ballast);
            job.Time.Advance(TimeSpan.FromMinutes(2));
            Assert.That(await NextAsync(job), Is.Null);

            string[] open = [.. Text.Split('\n').Where(line => line.Contains("handle", StringComparison.Ordinal))];
            Assert.That(open.Any(line => line.Contains(job.Issuer.Issued.Last().Fingerprint, StringComparison.Ordinal)), Is.True);
            await job.Session.CompleteAsync();
            Assert.That(Files(), Is.Empty);
        }
        finally
        {
            await RunAsync("umount", Journals);
        }
    }

    [Test]
    public async Task It_is_written_anew_when_most_of_it_is_over()
    {
        await using TestJob job = await StartAsync();
        int number = 0;
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = $"{number++} {new string('x', 20_000)}" };
        for (int i = 0; i < 100; i++)
        {
            BearerToken token = await job.Warehouse.GetAsync();
            if (i < 99)
                await job.Session.RevokeCredentialAsync(token, "drill");
        }

        Assert.That(new FileInfo(Files().Single()).Length, Is.LessThan(1_200_000), "of two million bytes that were written");
        if (!OperatingSystem.IsWindows())
            Assert.That(Text, Does.Contain("\"handle\":\"99 xxx"), "what lives is in it");
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task What_is_renewed_under_its_handle_stands_in_it_once()
    {
        await using TestJob job = await StartAsync();
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = "lease/one" };
        job.Warehouse.Reject(await job.Warehouse.GetAsync());
        await job.Warehouse.GetAsync();

        string[] lines = Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(lines[^1], Is.EqualTo("{\"kind\":\"ended\",\"entry\":1,\"end\":\"Renewed\"}"));
        await job.Session.CompleteAsync();
        Assert.That(Files(), Is.Empty);
    }

    [Test]
    public async Task A_job_of_a_factory_has_a_journal_of_its_own()
    {
        SessionPlan plan = Compose(new TokenExchangeBuilder()).Freeze();
        await using var factory = new JobSessionFactory(plan);
        await using JobSession one = await factory.StartAsync(new JobContext { Run = "1" });
        await using JobSession two = await factory.StartAsync(new JobContext { Run = "2" });
        await one.Provider<BearerToken>("held").GetAsync();
        await two.Provider<BearerToken>("held").GetAsync();
        Assert.That(Files(), Has.Length.EqualTo(2));

        await one.CompleteAsync();

        Assert.That(Files(), Has.Length.EqualTo(1));
        Assert.That(Fingerprints("revoked"), Has.Count.EqualTo(1));
    }

    [Test]
    public void Settings_name_the_folder_and_whether_to_fail_and_code_wins()
    {
        string other = Path.Combine(Ledger, "other");
        SessionPlan said = Configuration.Sections.Freeze(Configuration.Sections.With(("Journal", Journals), ("FailOnUnrevoked", "true")));
        SessionPlan overruled = Configuration.Sections.Freeze(Configuration.Sections.With(("Journal", Journals), ("FailOnUnrevoked", "true")), b => b.Journal(other).FailOnUnrevoked(false));
        Assert.That((said.Journal, said.FailOnUnrevoked), Is.EqualTo((Journals, true)));
        Assert.That((overruled.Journal, overruled.FailOnUnrevoked), Is.EqualTo((other, false)));
    }

    [TestCase("journal")]
    [TestCase("~/journal")]
    [TestCase("/var/lib/orders/")]
    public void A_path_that_is_no_whole_one_is_refused(string path) =>
        Assert.That(() => Compose(new TokenExchangeBuilder()).Journal(path).Freeze(), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("Journal: is not the absolute path of a folder"));

    [Test]
    public void Who_wants_to_recover_names_the_folder() =>
        Assert.That(
            () => JobSession.RecoverAsync(b => b.Identity("job", FileIssuer.Proofs, ActsFor.Workload).Target("held", new FileIssuer(Ledger, hasHandles: true), "job")),
            Throws.TypeOf<TokenExchangeException>().With.Message.Contains("names no folder of journals"));

    private static async Task<TokenExchangeException?> NextAsync(TestJob job)
    {
        try
        {
            await job.QuietAsync();   // a refresh of the step before would meet its deadline
            job.Time.Advance(TimeSpan.FromMinutes(55));
            await job.Warehouse.GetAsync();
            return null;
        }
        catch (TokenExchangeException error)
        {
            return error;
        }
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "Nobody else may read a journal there while its job lives.")]
    public async Task A_line_that_is_too_long_fails_alone_and_what_came_with_it_is_written()
    {
        var disk = new TestDisk();
        string handle = "lease/1";
        await using TestJob job = await TestJob.StartAsync(more: b => b.Journal(Journals).JournalDisk(disk));
        job.Issuer.Answer = _ => new Issued<BearerToken>(job.Issuer.NewToken()) { RevocationHandle = handle };
        BearerToken first = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("read") });
        int others = Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Length + 1 - handle.Length;
        handle = new string('x', JournalText.LongestLine - others - 5);   // there is no room to say that its end is uncertain
        BearerToken brim = await job.Warehouse.GetAsync(new CredentialRequest { Scopes = ScopeSet.Of("write") });
        Task full = disk.Shut();
        Task before = job.Session.Journal!.LengtheningAsync(first, CancellationToken.None);
        await full;   // what comes now is written together

        Assert.That(job.Session.Leases.TryLengthen(brim), Is.True);
        Task tooLong = job.Session.Journal.LengtheningAsync(brim, CancellationToken.None);
        job.Session.Journal.Ended(first, LeaseEnd.Revoked);
        disk.Gate.Set();
        await before;

        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => tooLong)!.Code, Is.EqualTo(ErrorCodes.NotRecorded));
        Assert.That(Text, Does.Contain("""{"kind":"ended","entry":1,"end":"Revoked"}"""));
        job.Session.Journal.NotLengthened(brim);
    }

    private async Task<TestJob> StartAsync(bool hasHandles = true)
    {
        TestJob job = await TestJob.StartAsync(more: b => b.Journal(Journals));
        job.Issuer.Answer = _ =>
        {
            BearerToken token = job.Issuer.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = hasHandles ? "lease/" + token.Fingerprint : null };
        };
        return job;
    }

    private sealed class PolicyWithoutToken : IAccessPolicy
    {
        public string Revision => "1";

        public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(AccessDecision.Permit("all"));

        public Microsoft.Extensions.Primitives.IChangeToken GetChangeToken() => throw new NotSupportedException();
    }
}
