using Npgsql;

namespace Nhi.TokenExchange.Tests;

/// <summary>A job with one target, <c>orders</c>, whose logins are made on a real server. Each has a prefix of its own, so that tests beside each other count their own roles.</summary>
internal sealed class OrdersJob : IAsyncDisposable
{
    private OrdersJob(PostgresServer server, string prefix, JobSession session)
    {
        Server = server;
        Prefix = prefix;
        Session = session;
        Login = session.Provider<DatabaseLogin>("orders");
    }

    public PostgresServer Server { get; }

    public string Prefix { get; }

    public JobSession Session { get; }

    public CredentialProvider<DatabaseLogin> Login { get; }

    public static async Task<OrdersJob> StartAsync(
        PostgresServer? server = null, Action<PostgresRoleOptions>? options = null, string[]? roles = null, TimeProvider? time = null, Action<TokenExchangeBuilder>? more = null, Func<TokenExchanger<DatabaseLogin>, TokenExchanger<DatabaseLogin>>? around = null)
    {
        server ??= SharedServer.Server;
        string prefix = NewPrefix();
        TokenExchanger<DatabaseLogin> exchanger = Targets.PostgresRole(server.AdminConnection, o =>
        {
            o.RolePrefix = prefix;
            options?.Invoke(o);
        });
        JobSession session = await JobSession.StartAsync(b =>
        {
            b.Job(new JobContext { Pipeline = "orders-nightly", Run = "4711" })
                .Identity("job", TestProofs.Source(time ?? TimeProvider.System), ActsFor.Workload)
                .Target("orders", around?.Invoke(exchanger) ?? exchanger, "job", roles ?? ["orders_reader"])
                .EndOnSignals(false).EndWithin(TimeSpan.FromMinutes(2)).Jitter(() => 0);
            if (time is not null)
                b.Time(time);
            more?.Invoke(b);
        });
        return new OrdersJob(server, prefix, session);
    }

    public static string NewPrefix() => "t" + System.Security.Cryptography.RandomNumberGenerator.GetString("abcdefghijklmnop", 10);

    /// <summary>The roles that are left of it.</summary>
    public Task<IReadOnlyList<string>> LoginsAsync() => Server.LoginsAsync(Prefix);

    /// <summary>A connection that is opened with a login, by hand.</summary>
    public static async Task<NpgsqlConnection> OpenAsync(PostgresServer server, DatabaseLogin login, string database = "orders")
    {
        var connection = new NpgsqlConnection($"Host={server.Folder};Port={server.Port};Database={database};Pooling=false;Timeout=60;Username={login.Role};Password={login.Reveal()}");
        try
        {
            await connection.OpenAsync();
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async Task<NpgsqlConnection> OpenAsync(string database = "orders") => await OpenAsync(Server, await Login.GetAsync(), database);

    public ValueTask DisposeAsync() => Session.DisposeAsync();
}

/// <summary>Statements in a line.</summary>
internal static class NpgsqlConnectionExtensions
{
    public static async Task<object?> SqlAsync(this NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
