using Npgsql;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What a login is and may do, on a real server.</summary>
internal sealed class PostgresRoleTests
{
    [Test]
    public async Task A_login_has_the_rights_of_its_roles_and_no_others()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using NpgsqlConnection connection = await job.OpenAsync();

        Assert.That(await connection.SqlAsync("SELECT count(*) FROM orders"), Is.EqualTo(2L));
        foreach (string forbidden in (string[])["INSERT INTO orders VALUES (3, 1)", "SELECT * FROM customers", "CREATE TABLE t (id int)", "CREATE ROLE another", "CREATE DATABASE another", "SET ROLE orders_writer", "SET ROLE postgres"])
            Assert.That(Assert.ThrowsAsync<PostgresException>(() => connection.SqlAsync(forbidden))!.SqlState, Is.EqualTo(PostgresErrorCodes.InsufficientPrivilege), forbidden);
    }

    [Test]
    public async Task A_role_says_in_the_catalog_whose_it_is_and_until_when_and_is_no_more_than_a_login()
    {
        await using OrdersJob job = await OrdersJob.StartAsync(options: o => o.ConnectionLimit = 3);
        DatabaseLogin login = await job.Login.GetAsync();

        Assert.That(await job.LoginsAsync(), Is.EqualTo([login.Role]));
        Assert.That(login.Role, Does.Match($"^{job.Prefix}_orders_[a-z2-7]{{26}}$"));
        string role = $"FROM pg_roles WHERE rolname = '{login.Role}'";
        Assert.That(await job.Server.QueryAsync<bool>($"SELECT rolcanlogin AND NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) {role}"), Is.EqualTo([true]));
        Assert.That(await job.Server.QueryAsync<int>($"SELECT rolconnlimit {role}"), Is.EqualTo([3]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT shobj_description(oid, 'pg_authid') {role}"), Is.EqualTo(["Nhi.TokenExchange: target orders, pipeline orders-nightly, run 4711"]));
        // Never before what we say, and not much after it: the server's clock may be read as late as the exchange took.
        DateTime end = (await job.Server.QueryAsync<DateTime>($"SELECT rolvaliduntil {role}"))[0];
        Assert.That(new DateTimeOffset(end, TimeSpan.Zero), Is.GreaterThanOrEqualTo(login.ExpiresAt.AddMilliseconds(-1)).And.LessThan(login.ExpiresAt.AddMinutes(2)));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = '{login.Role}'"), Is.EqualTo(["orders_reader"]));
    }

    [Test]
    public async Task The_server_keeps_a_verifier_and_the_password_is_nowhere_in_what_it_wrote()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        DatabaseLogin login = await job.Login.GetAsync();
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync("SELECT 1");

        Assert.That((await job.Server.QueryAsync<string>($"SELECT rolpassword FROM pg_authid WHERE rolname = '{login.Role}'"))[0], Does.StartWith("SCRAM-SHA-256$4096:"));
        await job.Session.CompleteAsync();
        string log = job.Server.Log;
        Assert.That(log, Does.Contain($"CREATE ROLE \"{login.Role}\"").And.Contain($"clock_timestamp() /* for \"{login.Role}\" */").And.Contain("SCRAM-SHA-256$4096:"), "the log has all statements");
        Assert.That(Canary.FindIn(log, login.Reveal()), Is.Empty);
        Assert.That($"{login}", Does.Not.Contain(login.Reveal()));
    }

    [Test]
    public async Task Nobody_new_is_let_in_after_the_end_though_an_open_session_lives_on()
    {
        TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(SharedServer.Server.AdminConnection, o => o.RolePrefix = OrdersJob.NewPrefix());
        Issued<DatabaseLogin> issued = await exchanger.ExchangeAsync(Asked(TimeSpan.FromSeconds(5)), CancellationToken.None);
        await using NpgsqlConnection open = await OrdersJob.OpenAsync(SharedServer.Server, issued.Credential);

        await Eventually.HoldsAsync(async () => await RefusalAsync(issued.Credential) == PostgresErrorCodes.InvalidPassword, "the server lets nobody in");
        Assert.That(await open.SqlAsync("SELECT count(*) FROM orders"), Is.EqualTo(2L), "which is why the end is said to be assumed");
        Assert.That(issued.EndIsAssumed, Is.True);

        Assert.That(await EndAsync(exchanger, issued), Is.EqualTo(Revocation.Revoked));
        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => open.SqlAsync("SELECT 1"));
    }

    [Test]
    public async Task Two_jobs_of_one_exchanger_and_two_lives_of_one_job_have_roles_of_their_own()
    {
        TokenExchanger<DatabaseLogin> shared = Targets.PostgresRole(SharedServer.Server.AdminConnection, o => o.RolePrefix = OrdersJob.NewPrefix());
        await using OrdersJob one = await OrdersJob.StartAsync(around: _ => shared), other = await OrdersJob.StartAsync(around: _ => shared);

        DatabaseLogin first = await one.Login.GetAsync(), foreign = await other.Login.GetAsync();
        one.Login.Reject(first);
        DatabaseLogin second = await one.Login.GetAsync();

        Assert.That(new[] { first.Role, second.Role, foreign.Role }, Is.Unique);
        await one.Session.CompleteAsync();
        Assert.That(await RefusalAsync(first), Is.EqualTo(PostgresErrorCodes.InvalidPassword));
        Assert.That(await RefusalAsync(second), Is.EqualTo(PostgresErrorCodes.InvalidPassword));
        Assert.That(await RefusalAsync(foreign), Is.Null, "the other job goes on");
    }

    [Test]
    public async Task What_a_job_makes_as_a_granted_role_is_there_for_its_next_login_and_after_its_end()
    {
        string table = "made_" + OrdersJob.NewPrefix();
        await using OrdersJob job = await OrdersJob.StartAsync(options: o => o.ActAs = "orders_writer", roles: ["orders_reader", "orders_writer"]);
        DatabaseLogin first = await job.Login.GetAsync();
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync($"CREATE TABLE {table} (id int)");
        job.Login.Reject(first);
        await using (NpgsqlConnection connection = await job.OpenAsync())
            await connection.SqlAsync($"INSERT INTO {table} VALUES (1)");

        JobReport report = await job.Session.CompleteAsync();

        Assert.That(report.Leases.Select(outcome => outcome.End), Is.EqualTo([LeaseEnd.Revoked, LeaseEnd.Revoked]));
        Assert.That(await job.Server.QueryAsync<string>($"SELECT tableowner::text FROM pg_tables WHERE tablename = '{table}'"), Is.EqualTo(["orders_writer"]));
    }

    [TestCase("SUPERUSER")]
    [TestCase("CREATEROLE")]
    [TestCase("CREATEDB")]
    [TestCase("REPLICATION")]
    [TestCase("BYPASSRLS")]
    [TestCase("IN ROLE pg_execute_server_program")]
    public async Task A_role_with_power_over_the_server_is_not_granted_however_far_off_it_is(string power)
    {
        string root = OrdersJob.NewPrefix(), member = OrdersJob.NewPrefix();
        await SharedServer.Server.RunSqlAsync($"CREATE ROLE {root} {power}; CREATE ROLE {member} IN ROLE {root}");
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders_reader", member]);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That(refused.Code, Is.EqualTo("NHI4001"));
        Assert.That(refused.Message, Does.Contain($"Role '{member}' is in '").And.Contain("power over the server"));
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task A_role_that_is_not_there_is_named_by_the_server()
    {
        await using OrdersJob job = await OrdersJob.StartAsync(roles: ["orders\"; DROP TABLE orders; --".Replace("\"", "'", StringComparison.Ordinal).Replace(" ", "_", StringComparison.Ordinal)]);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Login.GetAsync().AsTask())!;

        Assert.That(refused.Message, Does.Contain("42704").And.Contain("Make the role that the target's Scopes name"));
        Assert.That(refused.IsTransient, Is.False);
        Assert.That(await job.Server.QueryAsync<long>("SELECT count(*) FROM orders"), Is.EqualTo([2L]));
    }

    [Test]
    public void Roles_of_the_server_itself_and_none_at_all_are_refused_at_the_start()
    {
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => OrdersJob.StartAsync(roles: []))!.Message, Does.Contain("orders:Scopes are missing: name the roles").Or.Contain("Scopes: are missing: name the roles"));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => OrdersJob.StartAsync(roles: ["pg_read_all_data"]))!.Message, Does.Contain("a role of the server's own"));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => OrdersJob.StartAsync(options: o => o.ActAs = "orders_writer"))!.Message, Does.Contain("do not have the role of ActAs among them"));
    }

    internal static ExchangeRequest Asked(TimeSpan life) => new()
    {
        Target = "orders",
        Subject = new SubjectToken(TestProofs.Jwt(TimeProvider.System, "database"), SubjectTokenType.Jwt),
        Scopes = ScopeSet.Of("orders_reader"),
        MaxLifetime = life,
        Job = JobContext.Unnamed,
        Backchannel = NoBackchannel.Instance,
    };

    internal static async Task<Revocation> EndAsync(TokenExchanger<DatabaseLogin> exchanger, Issued<DatabaseLogin> issued, bool afterACrash = false) =>
        await exchanger.RevokeAsync(
            new RevocationRequest<DatabaseLogin> { Target = "orders", Credential = afterACrash ? null : issued.Credential, Handle = issued.RevocationHandle, Backchannel = NoBackchannel.Instance }, CancellationToken.None);

    /// <summary>Why the server does not let a login in; null if it does.</summary>
    internal static async Task<string?> RefusalAsync(DatabaseLogin login)
    {
        try
        {
            await using NpgsqlConnection connection = await OrdersJob.OpenAsync(SharedServer.Server, login);
            return null;
        }
        catch (PostgresException refused)
        {
            return refused.SqlState;
        }
    }
}

/// <summary>No request of these goes over HTTP.</summary>
internal static class NoBackchannel
{
    public static HttpMessageInvoker Instance { get; } = new(new Refusing());

    private sealed class Refusing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new InvalidOperationException("A database is not asked over HTTP.");
    }
}
