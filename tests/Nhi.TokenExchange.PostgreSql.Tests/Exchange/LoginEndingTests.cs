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

    [Test]
    public async Task An_end_that_is_cut_off_behind_its_first_step_lets_nobody_in_any_more()
    {
        string prefix = OrdersJob.NewPrefix();
        Issued<DatabaseLogin> issued = await Exchanger(prefix).ExchangeAsync(PostgresRoleTests.Asked(TimeSpan.FromHours(1)), CancellationToken.None);
        string role = issued.Credential.Role;
        await using var other = new NpgsqlConnection(SharedServer.Server.AdminConnection + ";Pooling=false");
        await other.OpenAsync();
        await using NpgsqlTransaction uncommitted = await other.BeginTransactionAsync();
        await other.SqlAsync($"GRANT \"{role}\" TO CURRENT_USER");   // the end's own GRANT of it waits for this one
        using var cut = new CancellationTokenSource();

        Task<Revocation> ending = Exchanger(prefix).RevokeAsync(new RevocationRequest<DatabaseLogin> { Target = "orders", Handle = role, Backchannel = NoBackchannel.Instance }, cut.Token).AsTask();
        await Eventually.HoldsAsync(
            async () => (await SharedServer.Server.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%GRANT \"{role}\"%'"))[0] > 0, "the end waits for the GRANT");
        string? refusedMeanwhile = await PostgresRoleTests.RefusalAsync(issued.Credential);
        await cut.CancelAsync();
        Assert.That(() => ending, Throws.InstanceOf<OperationCanceledException>());

        Assert.That(refusedMeanwhile, Is.EqualTo(PostgresErrorCodes.InvalidAuthorizationSpecification), "while the rest of the end waits");
        Assert.That(await PostgresRoleTests.RefusalAsync(issued.Credential), Is.EqualTo(PostgresErrorCodes.InvalidAuthorizationSpecification), "and after it was cut off");
        await uncommitted.RollbackAsync();
        Assert.That(await PostgresRoleTests.EndAsync(Exchanger(prefix), issued, afterACrash: true), Is.EqualTo(Revocation.Revoked));
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
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{role}' AND NOT rolcanlogin"), Has.One.Contains("What it owns in orders stays with it, for some of that may run with its owner's rights: ").And.One.Contains(name));
        await using OrdersJob other = await OrdersJob.StartAsync(roles: ["orders_writer"]);
        await using NpgsqlConnection later = await other.OpenAsync();
        foreach (string call in calls)
        {
            PostgresException refused = Assert.ThrowsAsync<PostgresException>(() => later.SqlAsync(call.Replace("{0}", name, StringComparison.Ordinal)))!;
            Assert.That(refused.SqlState, Is.EqualTo("42501"), call);
        }
    }

    [TestCase("CREATE RULE {0}_r AS ON INSERT TO {0} DO ALSO SELECT 1")]
    [TestCase("CREATE INDEX ON {0} (abs(id))")]
    [TestCase("CREATE INDEX ON {0} (id) WHERE id > 0")]
    [TestCase("CREATE STATISTICS {0}_s ON abs(id) FROM {0}")]
    [TestCase("CREATE TABLE {0}_fk (id int REFERENCES {0})")]
    [TestCase("CREATE TABLE {0}_more () INHERITS ({0})")]
    [TestCase("CREATE TYPE {0}_kind AS ENUM ('a'); ALTER TABLE {0} ADD kind {0}_kind")]
    [TestCase("CREATE FUNCTION {0}_f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER t BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION {0}_f()")]
    [TestCase("GRANT REFERENCES ON {0} TO PUBLIC")]
    [TestCase("GRANT REFERENCES (id) ON {0} TO PUBLIC")]
    public async Task A_table_with_what_may_run_with_its_owner_s_rights_stays_with_its_login_data_and_all(string made)
    {
        string table = "own_" + OrdersJob.NewPrefix();
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders_writer"]);
        string role = (await job.Login.GetAsync()).Role;
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync($"CREATE TABLE {table} (id int PRIMARY KEY); INSERT INTO {table} VALUES (7); {made.Replace("{0}", table, StringComparison.Ordinal)}");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(lease => lease.End), Is.EqualTo([LeaseEnd.Revoked]), report.ToString());
        Assert.That(await job.Server.QueryAsync<string>($"SELECT tableowner::text FROM pg_tables WHERE tablename = '{table}'"), Is.EqualTo([role]));
        Assert.That(await job.Server.QueryAsync<int>($"SELECT id FROM {table}"), Is.EqualTo([7]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = '{role}' AND NOT rolcanlogin"), Has.One.Contains(table));
    }

    [Test]
    public async Task What_a_job_left_to_the_heir_is_seen_by_no_job_beside_it_but_where_it_was_granted()
    {
        string prefix = OrdersJob.NewPrefix(), own = prefix + "_own", granted = prefix + "_granted";
        await using OrdersJob beside = await StartAsync();
        await using NpgsqlConnection connection = await beside.OpenAsync();
        await using (OrdersJob ending = await StartAsync())
        {
            await using (NpgsqlConnection making = await ending.OpenAsync())
                await making.SqlAsync($"CREATE TABLE {own} (id int); CREATE TABLE {granted} (id int); GRANT SELECT ON {granted} TO orders_writer");
            Assert.That((await ending.Session.CompleteAsync()).AllEnded);
        }
        await using OrdersJob ended = await StartAsync();
        await using (NpgsqlConnection making = await ended.OpenAsync())
            await making.SqlAsync($"CREATE TABLE {own}_too (id int)");
        await ended.Session.CompleteAsync();

        Assert.That(await SharedServer.Server.QueryAsync<string>($"SELECT DISTINCT tableowner::text FROM pg_tables WHERE tablename LIKE '{prefix}%'"), Is.EqualTo([prefix + "_heir"]), "one heir for all of them");
        Assert.That(Assert.ThrowsAsync<PostgresException>(() => connection.SqlAsync($"SELECT * FROM {own}"))?.SqlState, Is.EqualTo("42501"));
        Assert.That(Assert.ThrowsAsync<PostgresException>(() => connection.SqlAsync($"SET ROLE {prefix}_heir"))?.SqlState, Is.EqualTo("42501"));
        await connection.SqlAsync($"SELECT * FROM {granted}");

        Task<OrdersJob> StartAsync() => OrdersJob.StartAsync(roles: ["orders_writer"], options: o => o.RolePrefix = prefix);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task What_a_job_makes_reaches_nothing_that_another_left_to_their_heir(bool byAnalyze)
    {
        string prefix = OrdersJob.NewPrefix(), left = prefix + "_left", got = prefix + "_got", key = prefix + "_pk", foreign = prefix + "_fk", range = prefix + "_range";
        await using (OrdersJob honest = await StartAsync("orders_writer"))
            await MakeAsync(honest, $"CREATE TABLE {left} (secret text); INSERT INTO {left} VALUES ('of another job')");
        Assert.That(await SharedServer.Server.QueryAsync<string>($"SELECT tableowner::text FROM pg_tables WHERE tablename = '{left}'"), Is.EqualTo([prefix + "_heir"]));
        // The functions are a granted role's, so that what the login itself owns are tables.
        await using (OrdersJob thief = await StartAsync("orders_writer"))
        {
            await MakeAsync(thief, byAnalyze
                ? $"""
                CREATE TABLE {got} (who text, what text);
                SET ROLE orders_writer;
                CREATE FUNCTION {range}_look() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.{got} SELECT current_user, secret FROM public.{left} LIMIT 1; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
                CREATE FUNCTION {range}_diff(a int, b int) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM public.{range}_look(); RETURN (a - b)::float8; END $$;
                CREATE TYPE {range} AS RANGE (subtype = int4, subtype_diff = {range}_diff);
                RESET ROLE;
                CREATE TABLE {key} (r {range}); INSERT INTO {key} SELECT {range}(g, g + 2) FROM generate_series(1, 300) g
                """
                : $"""
                CREATE TABLE {key} (id int PRIMARY KEY); CREATE TABLE {foreign} (id int REFERENCES {key} ON DELETE CASCADE); CREATE TABLE {got} (who text, what text);
                INSERT INTO {key} VALUES (1); INSERT INTO {foreign} VALUES (1); GRANT ALL ON {key}, {got} TO PUBLIC;
                SET ROLE orders_writer;
                CREATE FUNCTION {foreign}_look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO {got} SELECT current_user, secret FROM {left}; EXECUTE 'GRANT ALL ON {left} TO PUBLIC'; RETURN OLD; END $$;
                RESET ROLE;
                CREATE TRIGGER look BEFORE DELETE ON {foreign} FOR EACH ROW EXECUTE FUNCTION {foreign}_look()
                """);
        }

        if (byAnalyze)
        {
            await SharedServer.Server.RunSqlAsync($"ANALYZE {key}");   // as autovacuum does
        }
        else
        {
            await using OrdersJob later = await StartAsync("orders_reader");
            await using NpgsqlConnection connection = await later.OpenAsync();
            Assert.That(Assert.ThrowsAsync<PostgresException>(() => connection.SqlAsync($"DELETE FROM {key} WHERE id = 1"))?.SqlState, Is.EqualTo("42501"));
        }

        Assert.That(await SharedServer.Server.QueryAsync<string>($"SELECT what FROM {got}"), Is.Empty);

        Task<OrdersJob> StartAsync(string granted) => OrdersJob.StartAsync(roles: [granted], options: o => o.RolePrefix = prefix);

        static async Task MakeAsync(OrdersJob job, string sql)
        {
            await using (NpgsqlConnection connection = await job.OpenAsync())
                await connection.SqlAsync(sql);
            Assert.That((await job.Session.CompleteAsync()).AllEnded);
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
