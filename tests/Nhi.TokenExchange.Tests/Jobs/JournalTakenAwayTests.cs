using System.Text;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Win32.SafeHandles;

namespace Nhi.TokenExchange.Tests;

/// <summary>Somebody deletes, moves, replaces or cuts the journal of a job that runs.</summary>
[Platform("Linux")]
internal sealed class JournalTakenAwayTests : JournalFixture
{
    private string Aside => Path.Combine(Path.GetDirectoryName(Journals)!, "aside");

    [Test]
    public async Task The_next_exchange_is_not_sent_before_a_new_journal_holds_all_that_is_held([Values] Act act)
    {
        var log = new LoggedText();
        await using TestJob job = await StartAsync(log);
        BearerToken held = await job.Warehouse.GetAsync(Scoped("read"));
        string lost = Files().Single();
        Take(act, lost);
        string whenSent = "";
        job.Issuer.Answer = _ =>
        {
            whenSent = TextOf(Ours(act, lost));
            return Answer(job);
        };

        BearerToken next = await job.Warehouse.GetAsync(Scoped("write"));

        Assert.That(whenSent, Does.StartWith("{\"kind\":\"journal\"").And.Contains("lease/" + held.Fingerprint).And.Contains("\"entry\":2"));
        Assert.That(TextOf(Ours(act, lost)), Does.Contain("lease/" + next.Fingerprint));
        Assert.That(log.Text, Does.Contain("NHI7008").And.Contains(Path.GetFileName(lost)).And.Contains(SaidOf(act)));
        HealthCheckResult health = await CheckAsync(job);
        Assert.That(health.Status, Is.EqualTo(HealthStatus.Degraded));
        Assert.That(health.Description, Does.Contain(SaidOf(act)).And.Contains("NHI7008"));

        await job.Session.CompleteAsync();
        Assert.That(Files().Where(file => file != lost), Is.Empty, "the job ended in order");
        if (act is Act.Replace)
            Assert.That(File.ReadAllText(lost), Is.EqualTo("somebody else's"));
    }

    [Test]
    public async Task Nothing_is_sent_while_no_new_journal_can_be_made()
    {
        var log = new LoggedText();
        await using TestJob job = await StartAsync(log);
        await job.Warehouse.GetAsync(Scoped("read"));
        Directory.Delete(Journals, recursive: true);
        File.WriteAllText(Journals, "in the folder's place");
        int sent = job.Issuer.Requests.Count;

        TokenExchangeException error = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync(Scoped("write")))!;
        await job.QuietAsync();

        Assert.That((error.Code, job.Issuer.Requests.Count), Is.EqualTo((ErrorCodes.NotRecorded, sent)));
        Assert.That(error.Message, Does.Contain("was deleted").And.Contains("no new one could be made"));
        Assert.That((await CheckAsync(job)).Status, Is.EqualTo(HealthStatus.Unhealthy));

        File.Delete(Journals);
        job.Time.Advance(TimeSpan.FromMinutes(2));
        await job.Warehouse.GetAsync(Scoped("write"));
        Assert.That(TextOf(Files().Single()), Does.Contain("\"entry\":1").And.Contains("lease/"));
        Assert.That((await CheckAsync(job)).Status, Is.EqualTo(HealthStatus.Degraded));
    }

    [Test]
    public async Task It_is_noticed_at_the_job_s_end_too()
    {
        var log = new LoggedText();
        await using TestJob job = await StartAsync(log);
        await job.Warehouse.GetAsync();
        job.Issuer.OnRevoke = _ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.");
        File.Delete(Files().Single());

        await job.Session.CompleteAsync();

        Assert.That(log.Text, Does.Contain("NHI7008"));
        Assert.That(TextOf(Files().Single()), Does.Contain("lease/").And.EndsWith("{\"kind\":\"closed\"}\n"), "the next start ends what this one could not");
    }

    [Test]
    public async Task A_copy_that_took_its_place_is_nobody_s_to_recover_while_the_job_lives()
    {
        await using TestJob job = await StartAsync(new LoggedText());
        await job.Warehouse.GetAsync(Scoped("read"));
        string journal = Files().Single();
        string text = TextOf(journal);
        File.Delete(journal);
        File.WriteAllText(journal, text);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(journal, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await job.Warehouse.GetAsync(Scoped("write"));

        await using TestJob next = await StartAsync(new LoggedText());
        RecoveryReport report = await next.Session.WaitForRecoveryAsync();

        Assert.That((report.AllEnded, report.Jobs.Count), Is.EqualTo((false, 0)), report.ToString());
        Assert.That(next.Issuer.Revoked, Is.Empty);
    }

    [Test]
    public async Task One_that_is_left_alone_is_healthy()
    {
        await using TestJob job = await StartAsync(new LoggedText());
        await job.Warehouse.GetAsync();
        Assert.That((await CheckAsync(job)).Status, Is.EqualTo(HealthStatus.Healthy));
    }

    /// <summary>What somebody does to the journal.</summary>
    public enum Act
    {
        Delete,
        DeleteFolder,
        Move,
        Replace,
        Cut,
    }

    private static string SaidOf(Act act) => act switch
    {
        Act.Move => "was moved away",
        Act.Replace => "has its name",
        Act.Cut => "was cut",
        _ => "was deleted",
    };

    private void Take(Act act, string journal)
    {
        switch (act)
        {
            case Act.Delete:
                File.Delete(journal);
                break;
            case Act.DeleteFolder:
                Directory.Delete(Journals, recursive: true);
                break;
            case Act.Move:
                File.Move(journal, Aside);
                break;
            case Act.Replace:
                string draft = Aside;
                File.WriteAllText(draft, "somebody else's");
                File.Move(draft, journal, overwrite: true);
                break;
            default:
                using (SafeFileHandle file = UnixOpen.ToWrite(journal))
                    RandomAccess.SetLength(file, 0);
                break;
        }
    }

    private string Ours(Act act, string lost) => Files().Single(file => act is not Act.Replace || file != lost);

    private static string TextOf(string journal)
    {
        using SafeFileHandle handle = UnixOpen.ToRead(journal);
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }

    private static Task<HealthCheckResult> CheckAsync(TestJob job)
    {
        var check = new JournalHealthCheck(job.Session);
        return check.CheckHealthAsync(new HealthCheckContext { Registration = new HealthCheckRegistration("token-exchange-journal", check, HealthStatus.Unhealthy, null) });
    }

    private static CredentialRequest Scoped(string scope) => new() { Scopes = ScopeSet.Of(scope) };

    private static Issued<BearerToken> Answer(TestJob job)
    {
        BearerToken token = job.Issuer.NewToken();
        return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
    }

    private async Task<TestJob> StartAsync(LoggedText log)
    {
        TestJob job = await TestJob.StartAsync(more: b => b.Journal(Journals).Logging(log));
        job.Issuer.Answer = _ => Answer(job);
        return job;
    }
}
