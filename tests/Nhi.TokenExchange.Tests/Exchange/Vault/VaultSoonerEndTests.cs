namespace Nhi.TokenExchange.Tests.Exchange.Vault;

/// <summary>A server that answers a renewal with an end sooner than the one before, as after its maximum was lowered: nobody is handed what is dead.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class VaultSoonerEndTests
{
    private readonly ManualTimeProvider _time = new();

    [TestCase(45, Description = "five minutes of use are left")]
    [TestCase(40, Description = "ten seconds, which is the margin")]
    [TestCase(30, Description = "it had ended by then")]
    public async Task It_is_handed_out_to_that_end_and_no_longer(int minutes)
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.HeldAsync();
        job.SecretRole.MaxTtl = TimeSpan.FromMinutes(minutes);
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();   // nobody asked for that

        for (int step = 0; step < 10; step++)
        {
            VaultSecret secret = await job.Database.GetAsync();
            Assert.That(job.Emulator.Ledger.IsAlive(secret.Fingerprint), Is.True, $"after {step} minutes more");
            await job.QuietAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.False);
        Assert.That(job.Requests(EmulatorEndpoint.VaultSecret), Is.EqualTo(2));
    }

    [Test]
    public async Task What_is_left_of_it_is_served_while_the_server_gives_no_other_and_then_there_is_none()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await job.HeldAsync();
        job.SecretRole.MaxTtl = TimeSpan.FromMinutes(45);
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, "role is not there"));
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();

        await PassAsync(job, minutes: 4);
        Assert.That((await job.Database.GetAsync()).Fingerprint, Is.EqualTo(held.Fingerprint));
        await job.QuietAsync();
        await PassAsync(job, minutes: 2);
        Assert.That(async () => await job.Database.GetAsync(), Throws.InstanceOf<TokenExchangeException>());
        Assert.That(job.Emulator.Ledger.IsAlive(held.Fingerprint), Is.False);
        JobReport report = await job.Session.CompleteAsync();
        Assert.That((report.AllEnded, report.Leases.Count(lease => lease.Target == "database")), Is.EqualTo((true, 1)));
    }

    [Test]
    public async Task A_login_that_ends_sooner_takes_along_what_was_got_with_it()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await HeldInTheMiddleOfItsLoginAsync(job);
        job.Role.TokenMaxTtl = TimeSpan.FromMinutes(45);
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, "role is not there"));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Vault(400, "role is not there"));
        _time.Advance(VaultJob.RefreshDue - TimeSpan.FromMinutes(20));   // of the login; the secret's comes after it
        await job.QuietAsync();
        Assert.That(job.Requests(EmulatorEndpoint.VaultToken), Is.EqualTo(1), "nobody asked for that");

        await PassAsync(job, minutes: 6);
        Assert.That((job.Vault.OpenLeases, job.Emulator.Ledger.IsAlive(held.Fingerprint)), Is.EqualTo((0, false)), "it ended with its login");
        Assert.That(async () => await job.Database.GetAsync(), Throws.InstanceOf<TokenExchangeException>());
        job.Emulator.Faults.Clear();
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.That(job.Emulator.Ledger.IsAlive((await job.Database.GetAsync()).Fingerprint), Is.True);
    }

    [Test]
    public async Task A_login_that_is_renewed_as_before_takes_nothing_along()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        VaultSecret held = await HeldInTheMiddleOfItsLoginAsync(job);
        _time.Advance(VaultJob.RefreshDue - TimeSpan.FromMinutes(20));
        await job.QuietAsync();

        Assert.That(job.Requests(EmulatorEndpoint.VaultToken), Is.EqualTo(1));
        Assert.That(await job.Database.GetAsync(), Is.SameAs(held));
    }

    [Test]
    public async Task One_that_can_not_be_recorded_is_not_handed_out_beyond_that_end_either()
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        await job.HeldAsync();
        job.SecretRole.MaxTtl = TimeSpan.FromMinutes(45);
        job.Audit.Refuse = e => e is { Kind: AuditEventKind.Renewed, Target: "database" } ? new IOException("full") : null;
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();
        job.Audit.Refuse = null;
        job.SecretRole.MaxTtl = TimeSpan.FromHours(24);
        await PassAsync(job, minutes: 6);

        VaultSecret next = await job.Database.GetAsync();

        Assert.That(job.Emulator.Ledger.IsAlive(next.Fingerprint), Is.True);
    }

    [TestCase(0)]
    [TestCase(-1)]
    public async Task One_that_is_answered_with_no_life_at_all_is_handed_out_no_more(int seconds)
    {
        await using VaultJob job = await VaultJob.StartAsync(_time);
        await job.HeldAsync();
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultLease, Fault.Body($$"""{"request_id":"r","lease_id":"l","lease_duration":{{seconds}}}"""));
        job.Emulator.Faults.Always(EmulatorEndpoint.VaultSecret, Fault.Vault(400, "role is not there"));
        _time.Advance(VaultJob.RefreshDue);
        await job.QuietAsync();

        Assert.That(async () => await job.Database.GetAsync(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI4001"));
    }

    private async Task<VaultSecret> HeldInTheMiddleOfItsLoginAsync(VaultJob job)
    {
        await job.Login.GetAsync();
        await job.QuietAsync();   // and the watch for its renewal has begun
        _time.Advance(TimeSpan.FromMinutes(20));
        return await job.HeldAsync();
    }

    // A further try begins on the way, and has a minute: so it comes to its end before that.
    private async Task PassAsync(VaultJob job, int minutes)
    {
        for (int minute = 0; minute < minutes; minute++)
        {
            await job.QuietAsync();
            _time.Advance(TimeSpan.FromMinutes(1));
        }
    }
}
