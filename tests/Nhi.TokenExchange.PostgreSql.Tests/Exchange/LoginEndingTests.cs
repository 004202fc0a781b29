using Npgsql;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>The end of a login, on a real server: sessions, what it owned, and that only ours are ended.</summary>
internal sealed class LoginEndingTests
{
    [Test]
    public async Task The_end_of_a_job_terminates_its_sessions_and_drops_its_role()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using NpgsqlConnection idle = await job.OpenAsync(), busy = await job.OpenAsync();
        Task<object?> asleep = busy.SqlAsync("SELECT pg_sleep(600)");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(Assert.ThrowsAsync<PostgresException>(() => asleep)!.SqlState, Is.EqualTo(PostgresErrorCodes.AdminShutdown));
        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => idle.SqlAsync("SELECT 1"));
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_handle_is_enough_in_another_process_and_a_second_end_finds_nothing()
    {
        string prefix = OrdersJob.NewPrefix();
        Issued<DatabaseLogin> issued = await Exchanger(prefix).ExchangeAsync(PostgresRoleTests.Asked(TimeSpan.FromHours(1)), CancellationToken.None);
        await using NpgsqlConnection open = await OrdersJob.OpenAsync(SharedServer.Server, issued.Credential);
        TokenExchanger<DatabaseLogin> another = Exchanger(prefix);

        Assert.That(await PostgresRoleTests.EndAsync(another, issued, afterACrash: true), Is.EqualTo(Revocation.Revoked));
        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => open.SqlAsync("SELECT 1"));
        Assert.That(await PostgresRoleTests.EndAsync(another, issued, afterACrash: true), Is.EqualTo(Revocation.AlreadyGone));
        Assert.That(await SharedServer.Server.LoginsAsync(prefix), Is.Empty);
    }

    [TestCase(2)]
    [TestCase(1)]
    [TestCase(0)]
    public async Task A_login_that_the_server_was_still_making_when_its_job_was_killed_is_not_made_after_it_was_looked_for(int statementsDone)
    {
        string prefix = OrdersJob.NewPrefix(), role = LoginName.New(prefix, "orders");
        string[] statements = [$"SELECT pg_catalog.clock_timestamp() /* for \"{role}\" */", $"CREATE ROLE \"{role}\" LOGIN", $"COMMENT ON ROLE \"{role}\" IS 'made'"];
        await using var making = new NpgsqlConnection(SharedServer.Server.AdminConnection + ";Pooling=false");
        await making.OpenAsync();
        await using NpgsqlTransaction uncommitted = await making.BeginTransactionAsync();
        foreach (string statement in statements[..(statementsDone + 1)])
            await making.SqlAsync(statement);

        Revocation end = await Exchanger(prefix).RevokeAsync(new RevocationRequest<DatabaseLogin> { Target = "orders", Handle = role, Backchannel = NoBackchannel.Instance }, CancellationToken.None);

        Assert.That(end, Is.EqualTo(Revocation.AlreadyGone));
        Assert.That(async () =>
        {
            foreach (string statement in statements[(statementsDone + 1)..])
                await making.SqlAsync(statement);
            await uncommitted.CommitAsync();
        }, Throws.InstanceOf<NpgsqlException>());
        Assert.That(await SharedServer.Server.LoginsAsync(prefix), Is.Empty);
    }

    [TestCase("postgres")]
    [TestCase("orders_reader")]
    [TestCase("nhi_admin")]
    [TestCase("\"; DROP ROLE orders_reader; --")]
    public async Task A_handle_of_another_role_ends_nothing(string handle)
    {
        var request = new RevocationRequest<DatabaseLogin> { Target = "orders", Handle = handle, Backchannel = NoBackchannel.Instance };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => Exchanger("nhi").RevokeAsync(request, CancellationToken.None).AsTask())!;

        Assert.That(refused.Code, Is.EqualTo("NHI4012"));
        Assert.That(refused.Message, Does.Not.Contain(handle));
        Assert.That(await SharedServer.Server.QueryAsync<long>("SELECT count(*) FROM pg_roles WHERE rolname IN ('postgres', 'orders_reader', 'nhi_admin')"), Is.EqualTo([3L]));
    }

    [Test]
    public async Task What_the_login_owns_and_was_granted_in_any_database_does_not_hold_its_role_and_is_not_lost()
    {
        string table = "own_" + OrdersJob.NewPrefix();
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders_writer"]);
        string role = (await job.Login.GetAsync()).Role;
        foreach (string database in (string[])["orders", "stock"])
        {
            await using NpgsqlConnection connection = await job.OpenAsync(database);
            await connection.SqlAsync($"CREATE TABLE {table} (id int); INSERT INTO {table} VALUES (7); CREATE TEMP TABLE passing (id int); ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO orders_reader");
        }
        await job.Server.RunSqlAsync($"CREATE SCHEMA granted_{table} AUTHORIZATION {PostgresServer.Admin}; GRANT USAGE ON SCHEMA granted_{table} TO {role}");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(await job.LoginsAsync(), Is.Empty);
        foreach (string database in (string[])["orders", "stock"])
        {
            Assert.That(await job.Server.QueryAsync<string>($"SELECT tableowner::text FROM pg_tables WHERE tablename = '{table}'", database), Is.EqualTo([job.Prefix + "_heir"]));
            Assert.That(await job.Server.QueryAsync<int>($"SELECT id FROM {table}", database), Is.EqualTo([7]));
        }
    }

    [TestCase("CREATE FUNCTION {0}(t text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN EXECUTE t; END $$", "SELECT {0}('CREATE ROLE {0}_back LOGIN CREATEROLE')", "SELECT {0}('INSERT INTO orders SELECT * FROM orders LIMIT 0')")]
    [TestCase("CREATE VIEW {0} AS SELECT * FROM orders; GRANT SELECT ON {0} TO PUBLIC", "SELECT * FROM {0}", "SELECT * FROM {0}")]
    public async Task What_runs_with_its_owner_s_rights_lends_nobody_anything_after_the_job_s_end(string made, params string[] calls)
    {
        string name = "own_" + OrdersJob.NewPrefix();
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders_writer", "orders_reader"]);
        string role = (await job.Login.GetAsync()).Role;
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync(made.Replace("{0}", name, StringComparison.Ordinal));

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(await job.Server.QueryAsync<string>($"SELECT proowner::regrole::text FROM pg_proc WHERE proname = '{name}' UNION SELECT relowner::regrole::text FROM pg_class WHERE relname = '{name}'"), Is.EqualTo([role]), "neither the admin nor an heir of others");
        Assert.That(await job.Server.QueryAsync<long>($"SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = '{role}'"), Is.EqualTo([0L]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{role}' AND NOT rolcanlogin"), Has.One.Contains("It owns what runs with its owner's rights in orders"));
        await using OrdersJob other = await OrdersJob.StartAsync(roles: ["orders_writer"]);
        await using NpgsqlConnection later = await other.OpenAsync();
        foreach (string call in calls)
        {
            PostgresException refused = Assert.ThrowsAsync<PostgresException>(() => later.SqlAsync(call.Replace("{0}", name, StringComparison.Ordinal)))!;
            Assert.That(refused.SqlState, Is.EqualTo("42501"), call);
        }
    }

    [Test]
    public async Task A_role_of_the_heir_s_name_that_has_rights_gets_nothing()
    {
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders_writer"]);
        string table = "own_" + job.Prefix, role = (await job.Login.GetAsync()).Role;
        await job.Server.RunSqlAsync($"CREATE ROLE {job.Prefix}_heir IN ROLE orders_reader");
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync($"CREATE TABLE {table} (id int)");

        await job.Session.CompleteAsync();

        Assert.That(await job.Server.QueryAsync<string>($"SELECT tableowner::text FROM pg_tables WHERE tablename = '{table}'"), Is.EqualTo([role]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{role}' AND NOT rolcanlogin"), Has.One.Contains("can be no heir"));
    }

    [Test]
    public async Task A_role_that_cannot_be_dropped_stays_without_login_and_session_and_says_why()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        DatabaseLogin login = await job.Login.GetAsync();
        await using NpgsqlConnection open = await job.OpenAsync();
        // Where the admin may not look: a database that lets nobody but superusers in.
        string closed = "closed_" + OrdersJob.NewPrefix();
        await job.Server.RunSqlAsync($"CREATE DATABASE {closed}", "postgres");
        await job.Server.RunSqlAsync($"CREATE TABLE kept (id int); GRANT SELECT ON kept TO {login.Role}; REVOKE CONNECT ON DATABASE {closed} FROM PUBLIC", closed);

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), "the credential is dead: " + report);
        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => open.SqlAsync("SELECT 1"));
        string role = $"FROM pg_roles WHERE rolname = '{login.Role}'";
        Assert.That(await job.Server.QueryAsync<bool>($"SELECT rolcanlogin {role}"), Is.EqualTo([false]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') {role}"), Has.One.Contains("ended (no login, no session), but not dropped. 42501"));

        await job.Server.RunSqlAsync($"DROP DATABASE {closed}", "postgres");
        Assert.That(await PostgresRoleTests.EndAsync(Exchanger(job.Prefix), new Issued<DatabaseLogin>(login) { RevocationHandle = login.Role }, afterACrash: true), Is.EqualTo(Revocation.Revoked));
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task Twenty_jobs_that_end_at_once_leave_no_role()
    {
        OrdersJob[] jobs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => OrdersJob.StartAsync()));
        NpgsqlConnection[] connections = await Task.WhenAll(jobs.Select(job => job.OpenAsync()));
        // Each end takes a right back from the same row of a catalog.
        await SharedServer.Server.RunSqlAsync($"CREATE SCHEMA shared AUTHORIZATION {PostgresServer.Admin}");
        foreach (OrdersJob job in jobs)
            await job.Server.RunSqlAsync($"GRANT USAGE ON SCHEMA shared TO {(await job.Login.GetAsync()).Role}");

        JobReport[] reports = await Task.WhenAll(jobs.Select(job => job.Session.CompleteAsync()));

        Assert.That(reports.SelectMany(report => report.Leases).Select(lease => lease.End), Has.Exactly(20).EqualTo(LeaseEnd.Revoked), string.Join('\n', reports.Select(report => report.ToString())));
        foreach (OrdersJob job in jobs)
            Assert.That(await job.LoginsAsync(), Is.Empty);
        foreach (NpgsqlConnection connection in connections)
            await connection.DisposeAsync();
    }

    [Test]
    public async Task A_row_that_somebody_else_changes_meanwhile_is_changed_once_more()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        string role = (await job.Login.GetAsync()).Role;
        await job.Server.RunSqlAsync($"CREATE SCHEMA {role} AUTHORIZATION {PostgresServer.Admin}; GRANT USAGE ON SCHEMA {role} TO {role}");
        await using NpgsqlConnection other = await job.Server.OpenAsync();
        await using NpgsqlTransaction changing = await other.BeginTransactionAsync();
        await other.SqlAsync($"GRANT USAGE ON SCHEMA {role} TO orders_reader");

        Task<JobReport> ending = job.Session.CompleteAsync();
        await Eventually.HoldsAsync(
            async () => (await job.Server.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{PostgresServer.Admin}' AND wait_event_type = 'Lock' AND query LIKE '%{role}%'"))[0] > 0, "the end waits for the row");
        await changing.CommitAsync();
        JobReport report = await ending;

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(job.Server.Log, Does.Contain("tuple concurrently updated"), "it was in the way");
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_login_whose_end_has_come_is_dropped_with_its_sessions_while_the_job_goes_on()
    {
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using OrdersJob job = await OrdersJob.StartAsync(time: time);
        DatabaseLogin first = await job.Login.GetAsync();
        await using NpgsqlConnection open = await job.OpenAsync();

        time.Advance(TimeSpan.FromMinutes(61));

        await Eventually.HoldsAsync(async () => (await job.LoginsAsync()).Count == 0, "the first login is dropped");
        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => open.SqlAsync("SELECT 1"));
        Assert.That((await job.Login.GetAsync()).Role, Is.Not.EqualTo(first.Role));
    }

    private static TokenExchanger<DatabaseLogin> Exchanger(string prefix) => Targets.PostgresRole(SharedServer.Server.AdminConnection, o => o.RolePrefix = prefix);
}
