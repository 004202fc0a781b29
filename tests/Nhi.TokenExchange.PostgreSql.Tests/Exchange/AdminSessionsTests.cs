using Npgsql;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>How many sessions the admin has at once at a server.</summary>
internal sealed class AdminSessionsTests
{
    private const int MostSessions = 4;
    private const int Jobs = 12;
    private const int Looks = 50;

    // The tables of roles are locked meanwhile.
    [Test]
    [NonParallelizable]
    public async Task Jobs_that_begin_at_once_share_the_admin_s_few_sessions()
    {
        OrdersJob[] jobs = await Task.WhenAll(Enumerable.Range(0, Jobs).Select(_ => OrdersJob.StartAsync()));
        var counts = new List<long>();
        Task got;
        await using (NpgsqlConnection operating = await SharedServer.Server.OpenAsync())
        {
            await using NpgsqlTransaction locked = await operating.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("LOCK TABLE pg_catalog.pg_authid IN EXCLUSIVE MODE", operating))
                await command.ExecuteNonQueryAsync();

            got = Task.WhenAll(jobs.Select(job => job.Login.GetAsync().AsTask()));
            await Eventually.HoldsAsync(async () => await AdminsAsync() >= MostSessions, "the admin's sessions");
            for (int look = 0; look < Looks; look++)
                counts.Add(await AdminsAsync());
            await locked.RollbackAsync();
        }
        await got;
        foreach (OrdersJob job in jobs)
            await job.DisposeAsync();

        Assert.That(counts, Is.All.LessThanOrEqualTo(MostSessions));
    }

    private static async Task<long> AdminsAsync() => (await SharedServer.Server.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{PostgresServer.Admin}'"))[0];
}
