namespace Nhi.TokenExchange.Tests;

/// <summary>Recovery of what was got through another target, beside a job that ends meanwhile.</summary>
internal sealed class RecoveryThroughHopsTests : JournalFixture
{
    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task What_the_end_of_a_short_job_cut_off_is_left_to_the_next_and_not_told_as_failed()
    {
        await using (JobSession killed = await StartAsync(_ => throw new TokenExchangeException("NHI4012", ExchangeStage.Revoke, "This client may not revoke.")))
        {
            for (int i = 0; i < 20; i++)
                await killed.Provider<BearerToken>("orders").GetAsync(new CredentialRequest { Scopes = ScopeSet.Of($"table-{i}") });
        }
        var audit = new RecordingSink();
        var gate = new Gate();
        await using JobSession brief = await StartAsync(
            async request =>
            {
                await gate.PassAsync();
                await request.Subject!(CancellationToken.None);
                return Revocation.AlreadyGone;
            }, audit);
        using Gate opened = gate;
        await gate.Reached;
        Task<JobReport> ending = brief.CompleteAsync();
        await Eventually.HoldsAsync(() => brief.Ended.IsCancellationRequested, "the job's end");
        gate.Open();
        await ending;
        RecoveryReport cutOff = await brief.WaitForRecoveryAsync();
        await brief.Released;

        Assert.That(cutOff.AllEnded, Is.False);
        Assert.That(cutOff.Jobs.Single().Leases.Select(lease => lease.Reason), Is.All.Contains("cut off; the next one goes on").And.Exactly(20).Items);
        Assert.That(audit.Kinds, Does.Not.Contain(AuditEventKind.Orphaned));

        await using JobSession next = await StartAsync(async request =>
        {
            await request.Subject!(CancellationToken.None);
            return Revocation.AlreadyGone;
        });
        Assert.That((await next.WaitForRecoveryAsync()).AllEnded, Is.True);
    }

    private Task<JobSession> StartAsync(Func<RevocationRequest<BearerToken>, Task<Revocation>> onRevoke, RecordingSink? audit = null)
    {
        var orders = new TestExchanger(_time) { OnRevoke = onRevoke };
        orders.Answer = _ =>
        {
            BearerToken token = orders.NewToken();
            return new Issued<BearerToken>(token) { RevocationHandle = "lease/" + token.Fingerprint };
        };
        return JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(_time), ActsFor.Workload)
            .Target("warehouse", new TestExchanger(_time), "job")
            .Target("orders", orders, options => (options.Through, options.Scopes) = ("warehouse", ScopeSet.Of([.. Enumerable.Range(0, 20).Select(i => $"table-{i}")])))
            .Audit(audit ?? new RecordingSink()).Journal(Journals).Time(_time).Jitter(() => 0).EndOnSignals(false));
    }
}
