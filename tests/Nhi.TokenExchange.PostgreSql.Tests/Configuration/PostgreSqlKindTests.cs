using Microsoft.Extensions.Configuration;

namespace Nhi.TokenExchange.Tests;

/// <summary>The kind of this package in settings: what it takes, and what it says of a slip.</summary>
internal sealed class PostgreSqlKindTests
{
    [Test]
    public async Task A_section_makes_a_login_on_a_real_server()
    {
        PostgresServer server = SharedServer.Server;
        string prefix = OrdersJob.NewPrefix();
        IConfigurationSection section = Section(("Host", server.Folder), ("Port", $"{server.Port}"), ("RolePrefix", prefix), ("ActAs", "orders_reader"), ("ConnectionLimit", "2"), ("SubjectAudience", "orders-database"));
        await using JobSession job = await JobSession.StartAsync(b => b.PostgreSql().PostgreSql().Configuration(section).Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).EndOnSignals(false));

        await using (CredentialDataSource orders = job.Provider<DatabaseLogin>("orders").CreateDataSource(server.JobConnection))
        await using (Npgsql.NpgsqlConnection connection = await orders.OpenConnectionAsync())
            Assert.That(await connection.SqlAsync("SELECT current_user::text"), Is.EqualTo("orders_reader"));

        Assert.That(await server.LoginsAsync(prefix), Has.Count.EqualTo(1));
        await job.CompleteAsync();
        Assert.That(await server.LoginsAsync(prefix), Is.Empty);
    }

    [TestCase("Host", "db.example:5432", "Host: is neither the name of a server nor the folder of a unix socket")]
    [TestCase("Host", "postgresql://db.example", "Host: is neither the name of a server nor the folder of a unix socket")]
    [TestCase("Host", null, "Host: is missing")]
    [TestCase("Port", "0", "Port: is no number from 1 to 65535")]
    [TestCase("ConnectionLimit", "many", "ConnectionLimit: is no number from 1 to 10000")]
    [TestCase("RolePrefix", "Nhi", "RolePrefix: is not 1 to 20 lower-case letters")]
    [TestCase("RootCertificate", "roots.pem", "RootCertificate: is not an absolute path")]
    [TestCase("RootCertificate", "/roots.pem", "RootCertificate: is set, while Host is a unix socket")]
    [TestCase("ActAs", "orders_writer", "Scopes: do not have the role of ActAs among them")]
    [TestCase("Scopes:0", "pg_monitor", "Scopes: have 'pg_monitor' among them")]
    [TestCase("SslMode", "Disable", "SslMode: is an unknown setting")]
    public void A_slip_is_named_with_its_setting(string name, string? value, string what) => Assert.That(Refusal(Section((name, value))), Does.Contain("TokenExchange:Targets:orders:" + what));

    [TestCase("Password")]
    [TestCase("AdminPassword")]
    [TestCase("Passfile")]
    public void A_password_in_settings_is_refused_with_what_to_write_instead(string name)
    {
        string secret = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(12));
        string refusal = Refusal(Section((name, secret)));

        Assert.That(refusal, Does.Contain($"TokenExchange:Targets:orders:{name}").And.Not.Contain(secret));
        if (name != "Passfile")
            Assert.That(refusal, Does.Contain("NHI1002").And.Contain("let the server let the admin in by peer"));
    }

    [Test]
    public void Without_the_package_s_word_the_kind_is_unknown_and_its_package_is_named() =>
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b.Configuration(Section())))!.Message, Does.Contain("Nhi.TokenExchange.PostgreSql").And.Contain("builder.PostgreSql()"));

    private static IConfigurationSection Section(params (string Name, string? Value)[] changes)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Identity"] = "job", ["Exchange"] = "PostgresRole", ["Host"] = "/var/run/postgresql", ["Database"] = "orders", ["Username"] = PostgresServer.Admin, ["Scopes:0"] = "orders_reader",
        };
        foreach ((string name, string? value) in changes)
            settings[name] = value;
        return new ConfigurationBuilder().AddInMemoryCollection(settings.Where(setting => setting.Value is not null).Select(setting => new KeyValuePair<string, string?>("TokenExchange:Targets:orders:" + setting.Key, setting.Value))).Build().GetSection("TokenExchange");
    }

    private static string Refusal(IConfigurationSection section) =>
        Assert.ThrowsAsync<TokenExchangeException>(() => JobSession.StartAsync(b => b.PostgreSql().Configuration(section).Identity("job", TestProofs.Source(TimeProvider.System), ActsFor.Workload).EndOnSignals(false)))!.Message;
}
