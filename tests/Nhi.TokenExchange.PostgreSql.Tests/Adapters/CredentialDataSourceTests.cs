using System.Data.Common;
using System.Security.Cryptography;
using Npgsql;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>The data source of Npgsql that follows a target's credential, on a real server.</summary>
internal sealed class CredentialDataSourceTests
{
    [Test]
    public async Task Job_code_writes_no_user_and_no_password()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection);

        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(await connection.SqlAsync("SELECT count(*) FROM orders"), Is.EqualTo(2L));
        await using (DbConnection connection = ((DbDataSource)orders).OpenConnection())
            Assert.That(connection.ConnectionString, Does.Not.Contain((await job.Login.GetAsync()).Reveal()));
        await using (DbCommand command = ((DbDataSource)orders).CreateCommand("SELECT current_user::text"))
            Assert.That(await command.ExecuteScalarAsync(), Is.EqualTo((await job.Login.GetAsync()).Role));
        Assert.That($"{orders} {orders.ConnectionString}", Does.Not.Contain((await job.Login.GetAsync()).Reveal()).And.Contain("target 'orders'"));
    }

    [Test]
    public async Task P61_Two_lives_of_a_login_and_twenty_callers_no_refusal_and_no_connection_too_many()
    {
        const int Callers = 20, Rounds = 5;
        var time = new ManualTimeProvider(TimeProvider.System.GetUtcNow());
        await using OrdersJob job = await OrdersJob.StartAsync(time: time);
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection + $";Maximum Pool Size={Callers}");
        string first = (await job.Login.GetAsync()).Role;
        Assert.That(await UseAsync(), Is.EqualTo(first));

        time.Advance(TimeSpan.FromMinutes(31));   // the refresh is due
        string second = first;
        await Eventually.HoldsAsync(async () => (second = await UseAsync()) != first, "the second login is used");

        Assert.That(await SessionsAsync(job, first), Is.Zero, "the pool of the first login is empty while that one is still good");
        Assert.That(await SessionsAsync(job, second), Is.GreaterThan(0).And.LessThanOrEqualTo(Callers));
        Assert.That(await job.LoginsAsync(), Is.EquivalentTo([first, second]));

        async Task<string> UseAsync()
        {
            string[] users = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
            {
                string user = "";
                for (int round = 0; round < Rounds; round++)
                {
                    await using NpgsqlConnection connection = await orders.OpenConnectionAsync();
                    user = (string)(await connection.SqlAsync("SELECT session_user::text FROM orders LIMIT 1"))!;
                }
                return user;
            }));
            return users.Distinct().Count() == 1 ? users[0] : first;
        }
    }

    [Test]
    public async Task P8_A_connection_that_is_out_when_its_login_is_replaced_goes_on_and_is_not_given_out_again()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection);
        NpgsqlConnection old = await orders.OpenConnectionAsync();
        DatabaseLogin first = await job.Login.GetAsync();
        job.Login.Reject(first);

        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.Not.EqualTo(first.Role));
        Assert.That(await old.SqlAsync("SELECT session_user::text"), Is.EqualTo(first.Role));
        await old.DisposeAsync();

        await Eventually.HoldsAsync(async () => await SessionsAsync(job, first.Role) == 0, "it is closed when it comes back");
    }

    [Test]
    public async Task A_login_that_the_server_lets_in_no_more_is_rejected_and_the_next_one_is_used()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection);
        DatabaseLogin first = await job.Login.GetAsync();
        await job.Server.RunSqlAsync($"DROP ROLE {first.Role}");

        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.Not.EqualTo(first.Role));
    }

    [Test]
    public async Task A_login_that_may_not_log_in_any_more_is_rejected_by_who_cannot_await_too()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection);
        DatabaseLogin first = await job.Login.GetAsync();
        await job.Server.RunSqlAsync($"ALTER ROLE {first.Role} NOLOGIN");

        using NpgsqlConnection connection = orders.OpenConnection();

        Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.Not.EqualTo(first.Role));
    }

    [Test]
    public async Task A_new_token_of_the_same_user_keeps_the_pool_and_empties_it()
    {
        string user = "entra_" + OrdersJob.NewPrefix(), first = Token(), second = Token();
        await SharedServer.Server.RunSqlAsync($"CREATE ROLE {user} LOGIN IN ROLE orders_reader PASSWORD '{first}'");
        BearerToken held = new(first, TimeProvider.System.GetUtcNow().AddHours(1));
        CredentialProvider<BearerToken> provider = CredentialProvider.From<BearerToken>("orders", _ => new(held));
        await using CredentialDataSource orders = provider.CreateDataSource(SharedServer.Server.TlsConnection + $";Username={user}");
        int process;
        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            process = connection.ProcessID;
        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(connection.ProcessID, Is.EqualTo(process), "of the pool");

        await SharedServer.Server.RunSqlAsync($"ALTER ROLE {user} PASSWORD '{second}'");
        held = new BearerToken(second, TimeProvider.System.GetUtcNow().AddHours(1));

        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(connection.ProcessID, Is.Not.EqualTo(process));
        await Eventually.HoldsAsync(async () => (await SharedServer.Server.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'"))[0] == 1, "what the first token opened is closed");
    }

    [Test]
    public async Task What_was_opened_ends_with_the_job_and_nothing_more_is_opened()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource(job.Server.JobConnection);
        await using NpgsqlConnection connection = await orders.OpenConnectionAsync();

        await job.Session.CompleteAsync();

        Assert.ThrowsAsync(Is.InstanceOf<NpgsqlException>(), () => connection.SqlAsync("SELECT 1"));
        Assert.That(() => orders.OpenConnectionAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI7001"));
        Assert.That(await job.LoginsAsync(), Is.Empty);
    }

    [Test]
    public async Task B90_A_server_that_asks_for_the_password_in_clear_text_does_not_get_it()
    {
        await using OrdersJob job = await OrdersJob.StartAsync();
        await using CredentialDataSource orders = job.Login.CreateDataSource($"Host=127.0.0.1;Port={job.Server.Port};Database=cleartext");

        NpgsqlException refused = Assert.ThrowsAsync<NpgsqlException>(() => orders.OpenConnectionAsync().AsTask())!;

        Assert.That(refused.Message, Does.Contain("ScramSHA256"), "Npgsql says what it wanted");
    }

    [TestCase("Host=/run/postgresql;Password=", "NHI1002", "Password")]
    [TestCase("Host=/run/postgresql;Passfile=/home/", "NHI1002", "Passfile")]
    [TestCase("Host=/run/postgresql;Username=job;Search Path=", "NHI1001", "Username")]
    [TestCase("Host=db.example;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Host=db.example;SSL Mode=Require;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Host=localhost,db.example;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Host=/run/postgresql,db.example;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Host=@postgresql,db.example;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Host=localhost,/run/postgresql,10.0.0.7;Database=", "NHI1001", "SSL Mode")]
    [TestCase("Database=", "NHI1001", "Host")]
    public void B90_A_connection_string_with_a_secret_or_without_verified_TLS_is_refused(string connectionString, string code, string named)
    {
        string secret = Token();
        CredentialProvider<DatabaseLogin> provider = CredentialProvider.From<DatabaseLogin>("orders", _ => throw new InvalidOperationException("It is not asked."));

        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => provider.CreateDataSource(connectionString + secret))!;

        Assert.That(refused.Code, Is.EqualTo(code));
        Assert.That(refused.Message, Does.Contain(named).And.Not.Contain(secret));
    }

    [TestCase("Host=/run/postgresql,/run/other")]
    [TestCase("Host=/run/postgresql,localhost,127.0.0.1,::1")]
    public async Task Servers_that_are_all_on_this_machine_need_no_TLS(string connectionString)
    {
        CredentialProvider<DatabaseLogin> provider = CredentialProvider.From<DatabaseLogin>("orders", _ => throw new InvalidOperationException("It is not asked."));
        await using CredentialDataSource orders = provider.CreateDataSource(connectionString);
        Assert.That(orders.ConnectionString, Does.Contain(connectionString[5..]));
    }

    [TestCase("Host=localhost;Username=job")]
    [TestCase("Host=localhost;Username=job;SSL Mode=VerifyCA")]
    [TestCase("Host=localhost;SSL Mode=VerifyFull")]
    public void B90_A_token_goes_over_verified_TLS_alone(string connectionString) =>
        Assert.That(() => CredentialProvider.From<BearerToken>("orders", _ => default).CreateDataSource(connectionString), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1001"));

    private static string Token() => Convert.ToHexString(RandomNumberGenerator.GetBytes(24));

    private static async Task<long> SessionsAsync(OrdersJob job, string user) => (await job.Server.QueryAsync<long>($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'"))[0];
}
