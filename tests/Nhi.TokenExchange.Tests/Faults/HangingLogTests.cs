using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests;

/// <summary>A log that hangs in each line, such as a console that nobody reads: what a job does beside its lines goes on, and they are said late. What it does where the log is the audit: <see cref="AuditLogTests"/>.</summary>
internal sealed class HangingLogTests : PolicyFileFixture
{
    private LeveledLog _hanging = null!;

    [SetUp]
    public void MakeHangingLog() => _hanging = new LeveledLog(LogLevel.Debug);

    [TearDown]
    public void CloseHangingLog() => _hanging.Dispose();

    [Test]
    public async Task P57_A_policy_that_takes_a_permit_back_ends_the_credential()
    {
        Put(Document(1));
        await using JobSession job = await StartAsync(b => b.Logging(_hanging));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        _hanging.Gate.Reset();
        try
        {
            Put(Policies.Text(2));

            await SeenAsync(() => Issuer.Revoked.Count == 1, "the end of what is permitted no more, while the log hangs");

            Assert.That(_hanging.Text, Does.Not.Contain("2+sha256"));
        }
        finally
        {
            _hanging.Gate.Set();
        }
        await Eventually.HoldsAsync(() => _hanging.Text.Contains("2+sha256", StringComparison.Ordinal), "what is in force, said late");
    }

    [Test]
    public async Task P57_A_kill_switch_that_was_out_of_sight_is_seen()
    {
        Put(Document(1));
        string folder = Directory.CreateDirectory(Path.Combine(Folder, "switch")).FullName, killSwitch = Path.Combine(folder, "kill");
        await using JobSession job = await StartAsync(b => b.Logging(_hanging).KillSwitch(killSwitch));
        await job.Provider<BearerToken>("warehouse").GetAsync();
        _hanging.Gate.Reset();
        try
        {
            Directory.Delete(folder);
            await SeenAsync(() => _hanging.Waiting > 0, "the line that it is out of sight, in which the log hangs");
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(killSwitch, "incident 4711");

            await SeenAsync(() => Issuer.Revoked.Count == 1, "the end of the job's credential, while the log hangs");
        }
        finally
        {
            _hanging.Gate.Set();
        }
    }

    [Test]
    public async Task P57_A_job_starts_gets_a_credential_and_a_new_one_for_one_that_is_refused()
    {
        Put(Document(1));
        JobSession? job = null;
        _hanging.Gate.Reset();
        try
        {
            Task<BearerToken> getting = Task.Run(async () =>
            {
                job = await StartAsync(b => b.Logging(_hanging));
                CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
                BearerToken refused = await warehouse.GetAsync();
                warehouse.Reject(refused);
                Time.Advance(TimeSpan.FromSeconds(5));
                return await warehouse.GetAsync();
            });

            await getting.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);

            Assert.That((Issuer.Requests.Count, _hanging.Lines.Count), Is.EqualTo((2, 0)));
        }
        finally
        {
            _hanging.Gate.Set();
        }
        await Eventually.HoldsAsync(() => _hanging.Lines.Count >= 2, "the lines, said late");
        await job!.CompleteAsync();
    }
}
