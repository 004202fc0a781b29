using Npgsql;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>A server that goes away, in tests that have one of their own.</summary>
internal sealed class ServerFailureTests
{
    [Test]
    public async Task A_server_that_is_restarted_during_a_revocation_is_asked_again()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        Watched? watched = null;
        await using OrdersJob job = await OrdersJob.StartAsync(server, around: exchanger => watched = new Watched(exchanger));
        await job.Login.GetAsync();

        await server.StopServerAsync();
        Task<JobReport> ending = job.Session.CompleteAsync();
        TokenExchangeException failure = await watched!.FirstFailure.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System);
        await server.StartServerAsync();
        JobReport report = await ending;

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo(("NHI4002", true)), failure.Message);
        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_server_that_stays_away_ends_the_job_by_its_deadline_and_the_login_is_there_as_the_report_says()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using OrdersJob job = await OrdersJob.StartAsync(server, more: b => b.EndWithin(TimeSpan.FromSeconds(2)));
        DatabaseLogin login = await job.Login.GetAsync();
        await server.StopServerAsync();

        JobReport report = await job.Session.CompleteAsync();

        await server.StartServerAsync();
        LeaseOutcome lease = report.Leases.Single();
        Assert.That((lease.End, lease.Fingerprint, report.AllEnded), Is.EqualTo((LeaseEnd.Failed, login.Fingerprint, false)));
        Assert.That(await job.LoginsAsync(), Is.EqualTo(new[] { login.Role }));
        DateTime until = (await server.QueryAsync<DateTime>($"SELECT rolvaliduntil FROM pg_roles WHERE rolname = '{login.Role}'"))[0];
        Assert.That(lease.DiesAt.UtcDateTime, Is.EqualTo(until).Within(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_role_whose_making_was_cut_off_is_not_handed_out_and_not_forgotten()
    {
        await using PostgresServer server = await PostgresServer.StartAsync();
        await using OrdersJob job = await OrdersJob.StartAsync(server);
        // The making waits for this lock, on the catalog of the roles; then its session is cut.
        await using NpgsqlConnection other = await server.OpenAsync();
        await using NpgsqlTransaction holding = await other.BeginTransactionAsync();
        await other.SqlAsync("LOCK TABLE pg_authid IN EXCLUSIVE MODE");
        TokenExchangeException? failure = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                Task<DatabaseLogin> getting = job.Login.GetAsync().AsTask();
                // On a machine that is slow enough the making gives up by itself first, and is tried anew.
                await Eventually.HoldsAsync(async () => getting.IsCompleted || await CutAsync(server) > 0, "the making waits");
                failure = Assert.ThrowsAsync<TokenExchangeException>(() => getting);
                return failure!.Message.Contains("before it said whether role", StringComparison.Ordinal);
            }, "a making is cut off");
        await holding.RollbackAsync();

        Assert.That(failure!.Message, Does.Contain("was made; that one is ended"));
        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo(("NHI4002", true)));
        JobReport report = await job.Session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => lease.End), Is.Not.Empty.And.All.EqualTo(LeaseEnd.AlreadyGone), "it was looked for");
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    // In a session of its own: within a transaction, what the others do is looked up once.
    private static async Task<long> CutAsync(PostgresServer server) =>
        (await server.QueryAsync<long>($"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '{PostgresServer.Admin}' AND wait_event_type = 'Lock' AND query LIKE 'CREATE ROLE%'"))[0];

    /// <summary>The exchanger, with an eye on its first failure to revoke.</summary>
    private sealed class Watched(TokenExchanger<DatabaseLogin> inner) : TokenExchanger<DatabaseLogin>
    {
        public TaskCompletionSource<TokenExchangeException> FirstFailure { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override Uri Issuer => inner.Issuer;

        public override Audience SubjectAudience => inner.SubjectAudience;

        public override ValueTask<Issued<DatabaseLogin>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => inner.ExchangeAsync(request, cancellationToken);

        public override async ValueTask<Revocation> RevokeAsync(RevocationRequest<DatabaseLogin> request, CancellationToken cancellationToken)
        {
            try
            {
                return await inner.RevokeAsync(request, cancellationToken);
            }
            catch (TokenExchangeException failure)
            {
                FirstFailure.TrySetResult(failure);
                throw;
            }
        }
    }
}
