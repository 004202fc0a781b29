using System.Security.Cryptography;
using Npgsql;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>How the admin gets in, on a real server: by peer, or with the token of the target that is gone through; never with a password of his own.</summary>
internal sealed class AdminAccessTests
{
    private const string Socket = "Host=/var/run/postgresql;Database=orders;Username=nhi_admin";

    [TestCase("Password=")]
    [TestCase("Pwd=")]
    [TestCase("Passfile=/root/")]
    [TestCase("SSL Key=/root/")]
    public void A_stored_secret_of_the_admin_is_refused_with_what_to_write_instead(string keyword)
    {
        string secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Targets.PostgresRole($"{Socket};{keyword}{secret}"))!;

        Assert.That(refused.Code, Is.EqualTo("NHI1002"));
        Assert.That(refused.Message, Does.Contain("static secrets have no place here").And.Contain("peer").And.Contain("Through").And.Not.Contain(secret));
    }

    [Test]
    public void What_is_no_connection_string_is_refused_and_not_quoted()
    {
        string secret = Convert.ToHexString(RandomNumberGenerator.GetBytes(12));

        Assert.That(() => Targets.PostgresRole($"{Socket};Passwort={secret}"), Throws.ArgumentException.With.Message.Not.Contain(secret).And.InnerException.Null);
    }

    [Test]
    public void A_copy_of_a_login_opens_nothing_after_the_job_and_nobody_else_sees_it()
    {
        TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(Socket);
        Assert.That((exchanger.ReusableAfterJob.IsYes, exchanger.VisibleToOperators.IsYes), Is.EqualTo((false, false)));
        Assert.That(exchanger.VisibleToOperators.Reason, Does.Contain("SCRAM verifier"));
    }

    [TestCase("Database=d;Username=u", "has no Host")]
    [TestCase("Host=/s;Username=u", "has no Database")]
    [TestCase("Host=/s;Database=d", "has no Username")]
    [TestCase("Host=a,b;Database=d;Username=u;SSL Mode=VerifyFull", "names several servers")]
    public void What_is_missing_is_named(string connectionString, string what) =>
        Assert.That(() => Targets.PostgresRole(connectionString), Throws.TypeOf<TokenExchangeException>().With.Message.Contains(what));

    [TestCase("")]
    [TestCase(";SSL Mode=Disable")]
    [TestCase(";SSL Mode=Prefer")]
    [TestCase(";SSL Mode=Require")]
    [TestCase(";SSL Mode=VerifyCA")]
    public void B90_A_token_of_the_admin_is_not_sent_without_verified_TLS(string mode)
    {
        TokenExchangeException refused = Assert.Throws<TokenExchangeException>(() => Targets.PostgresRole($"Host=db.example;Database=orders;Username=nhi_admin{mode}"))!;

        Assert.That(refused.Code, Is.EqualTo("NHI1001"));
        Assert.That(refused.Message, Does.Contain("SSL Mode").And.Contain("Write SSL Mode=VerifyFull"));
    }

    [Test]
    public async Task The_token_of_the_target_that_is_gone_through_lets_the_admin_in_and_ends_the_login()
    {
        string token = await TokenOfAdminAsync();
        await using JobSession job = await StartAsync(token, SharedServer.Server.TlsConnection, out string prefix);

        DatabaseLogin login = await job.Provider<DatabaseLogin>("orders").GetAsync();
        await using (NpgsqlConnection connection = await OrdersJob.OpenAsync(SharedServer.Server, login))
            Assert.That(await connection.SqlAsync("SELECT count(*) FROM orders"), Is.EqualTo(2L));
        JobReport report = await job.CompleteAsync();

        Assert.That(report.Leases.Single(lease => lease.Target == "orders").End, Is.EqualTo(LeaseEnd.Revoked), report.ToString());
        Assert.That(await SharedServer.Server.LoginsAsync(prefix), Is.Empty);
        Assert.That(Canary.FindIn(SharedServer.Server.Log, token), Is.EqualTo(["raw"]).Or.Empty, "where the test itself makes it the admin's password, and nowhere else");
    }

    [Test]
    public async Task A_token_that_the_server_refuses_is_given_up_for_the_next_one()
    {
        string token = await TokenOfAdminAsync();
        int given = 0;
        await using JobSession job = await StartAsync(() => given++ == 0 ? RandomToken() : token, SharedServer.Server.TlsConnection, out _);

        Assert.That((await job.Provider<DatabaseLogin>("orders").GetAsync()).Role, Is.Not.Empty);
        Assert.That(given, Is.EqualTo(2));
    }

    [Test]
    public async Task B90_A_server_with_a_certificate_of_somebody_else_gets_no_token()
    {
        await using PostgresServer other = await PostgresServer.StartAsync();
        string connection = SharedServer.Server.TlsConnection.Replace($"Port={SharedServer.Server.Port}", $"Port={other.Port}", StringComparison.Ordinal);
        await using JobSession job = await StartAsync(await TokenOfAdminAsync(), connection, out _);

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => job.Provider<DatabaseLogin>("orders").GetAsync().AsTask())!;

        Assert.That((refused.Code, refused.IsTransient), Is.EqualTo(("NHI4002", false)), refused.Message);
        Assert.That(refused.Message, Does.Contain("Its certificate is not trusted"));
        Assert.That(other.Log, Does.Contain("user=postgres").And.Not.Contain("user=token_admin"), "it has not even heard who would come");
    }

    [Test]
    public async Task A_proof_that_is_no_access_token_is_not_sent()
    {
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("orders", Targets.PostgresRole(SharedServer.Server.TlsConnection + ";Username=token_admin"), "job", "orders_reader").EndOnSignals(false));

        Assert.That(() => job.Provider<DatabaseLogin>("orders").GetAsync().AsTask(), Throws.TypeOf<TokenExchangeException>().With.Message.Contains("It was not sent").And.Message.Contains("Through"));
    }

    [Test]
    public async Task After_a_crash_a_login_that_a_token_made_is_ended_by_its_handle_and_a_new_token()
    {
        string token = await TokenOfAdminAsync();
        await using JobSession job = await StartAsync(token, SharedServer.Server.TlsConnection, out string prefix);
        DatabaseLogin login = await job.Provider<DatabaseLogin>("orders").GetAsync();
        TokenExchanger<DatabaseLogin> another = Targets.PostgresRole(SharedServer.Server.TlsConnection + ";Username=token_admin", o => o.RolePrefix = prefix);
        var request = new RevocationRequest<DatabaseLogin>
        {
            Target = "orders", Handle = login.Role, Backchannel = NoBackchannel.Instance, Subject = _ => new(new SubjectToken(token, SubjectTokenType.AccessToken)),
        };

        Assert.That(await another.RevokeAsync(request, CancellationToken.None), Is.EqualTo(Revocation.Revoked));
        Assert.That(await SharedServer.Server.LoginsAsync(prefix), Is.Empty);
    }

    [Test]
    public async Task A_login_whose_admin_s_token_has_died_is_ended_with_the_job_s_next_one()
    {
        await using JobSession job = await StartAsync(await TokenOfAdminAsync(), SharedServer.Server.TlsConnection, out string prefix);
        DatabaseLogin login = await job.Provider<DatabaseLogin>("orders").GetAsync();
        string next = await TokenOfAdminAsync();   // the one before is refused from now on
        TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(SharedServer.Server.TlsConnection + ";Username=token_admin", o => o.RolePrefix = prefix);
        RevocationRequest<DatabaseLogin> With(Func<CancellationToken, ValueTask<SubjectToken>> subject) =>
            new() { Target = "orders", Credential = login, Handle = login.Role, Backchannel = NoBackchannel.Instance, Subject = subject };

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.RevokeAsync(With(_ => throw new TokenExchangeException("NHI7001", ExchangeStage.JobEnded, "over")), CancellationToken.None).AsTask())!;
        Assert.That(refused.Code, Is.EqualTo("NHI4011"), "what the server said");
        Assert.That(await exchanger.RevokeAsync(With(_ => new(new SubjectToken(next, SubjectTokenType.AccessToken))), CancellationToken.None), Is.EqualTo(Revocation.Revoked));
        Assert.That(await SharedServer.Server.LoginsAsync(prefix), Is.Empty);
    }

    [Test]
    public async Task Outside_a_job_a_login_that_a_token_made_is_accounted_for_with_what_to_do()
    {
        TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(SharedServer.Server.TlsConnection + ";Username=token_admin");
        var request = new RevocationRequest<DatabaseLogin> { Target = "orders", Handle = LoginName.New("nhi", "orders"), Backchannel = NoBackchannel.Instance };

        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(() => exchanger.RevokeAsync(request, CancellationToken.None).AsTask())!;

        Assert.That((failure.Code, failure.IsTransient), Is.EqualTo(("NHI4012", false)));
        Assert.That(failure.Message, Does.Contain("VALID UNTIL"));
        await Task.CompletedTask;
    }

    [Test]
    [NonParallelizable]
    public async Task A_server_that_asks_the_admin_for_a_password_gets_none_not_even_that_of_the_environment()
    {
        string? before = Environment.GetEnvironmentVariable("PGPASSWORD");
        string asked = "asked_" + OrdersJob.NewPrefix(), password = RandomToken();
        await SharedServer.Server.RunSqlAsync($"CREATE ROLE {asked} LOGIN CREATEROLE PASSWORD '{password}'");
        Environment.SetEnvironmentVariable("PGPASSWORD", password);
        try
        {
            TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(SharedServer.Server.JobConnection + $";Username={asked}");

            Assert.That(
                () => exchanger.ExchangeAsync(PostgresRoleTests.Asked(TimeSpan.FromHours(1)), CancellationToken.None).AsTask(),
                Throws.TypeOf<TokenExchangeException>().With.Message.Contains($"The server asks for a password of '{asked}', and there is none").And.Message.Contains("peer"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("PGPASSWORD", before);
        }
    }

    // A server of a cloud reads the token; ours compares it with a password. On the wire it is the same.
    private static async Task<string> TokenOfAdminAsync()
    {
        string token = RandomToken();
        await SharedServer.Server.RunSqlAsync($"ALTER ROLE token_admin PASSWORD '{token}'");
        return token;
    }

    private static string RandomToken() => Convert.ToHexString(RandomNumberGenerator.GetBytes(24));

    private static Task<JobSession> StartAsync(string token, string connection, out string prefix) => StartAsync(() => token, connection, out prefix);

    private static Task<JobSession> StartAsync(Func<string> token, string connection, out string prefix)
    {
        string own = prefix = OrdersJob.NewPrefix();
        return JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload)
            .Target("database-token", new TokenIssuer(token), "job")
            .Target("orders", Targets.PostgresRole(connection + ";Username=token_admin", o => o.RolePrefix = own), target =>
            {
                target.Through = "database-token";
                target.Scopes = ScopeSet.Of("orders_reader");
            })
            .EndOnSignals(false).EndWithin(TimeSpan.FromMinutes(2)));
    }

    /// <summary>An issuer whose tokens the server takes.</summary>
    private sealed class TokenIssuer(Func<string> token) : TokenExchanger<BearerToken>
    {
        public override Uri Issuer => new("https://issuer.test");

        public override Audience SubjectAudience => new("https://issuer.test");

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) =>
            new(new Issued<BearerToken>(new BearerToken(token(), request.Time.GetUtcNow().AddHours(1))));
    }
}
