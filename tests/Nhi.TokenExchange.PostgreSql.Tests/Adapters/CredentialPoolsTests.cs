using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Npgsql;

namespace Nhi.TokenExchange.Tests.Adapters;

/// <summary>Callers of one data source that meet while its credential changes, on a real server.</summary>
internal sealed class CredentialPoolsTests
{
    [Test]
    public async Task Who_comes_late_with_a_credential_that_was_replaced_twice_follows_the_provider_and_takes_nothing_back()
    {
        DatabaseLogin first = await LoginAsync(), second = await LoginAsync(), third = await LoginAsync();
        var provider = new Provider { Held = first };
        int pools = 0;
        await using CredentialDataSource orders = provider.CreateDataSource(SharedServer.Server.JobConnection, _ => pools++);
        var late = new TaskCompletionSource<DatabaseLogin>(TaskCreationOptions.RunContinuationsAsynchronously);
        (provider.Held, provider.Next) = (null, late.Task);
        Task<NpgsqlConnection> opening = orders.OpenConnectionAsync().AsTask();
        foreach (DatabaseLogin login in (DatabaseLogin[])[second, third])
        {
            provider.Held = login;
            await (await orders.OpenConnectionAsync()).DisposeAsync();
        }
        int process;
        await using (NpgsqlConnection connection = await orders.OpenConnectionAsync())
            process = connection.ProcessID;

        late.SetResult(first);

        await using (NpgsqlConnection connection = await opening)
        {
            Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.EqualTo(third.Role));
            Assert.That(connection.ProcessID, Is.EqualTo(process), "the pool of the third was not emptied");
        }
        Assert.That(pools, Is.EqualTo(2), "and none was made for the first");
    }

    [Test]
    public async Task A_configuration_that_waits_for_somebody_who_opens_does_not_wait_for_ever()
    {
        var provider = new Provider { Held = await LoginAsync() };
        CredentialDataSource? orders = null;
        int pools = 0;
        orders = provider.CreateDataSource(SharedServer.Server.JobConnection, _ =>
        {
            if (Interlocked.Increment(ref pools) != 1)
                return;
            Task other = Task.Run(async () => await (await orders!.OpenConnectionAsync()).DisposeAsync());
            Assert.That(Task.WaitAny([other], TimeSpan.FromMinutes(2)), Is.Zero, "the other one opens meanwhile");
        });
        await using (orders)
        {
            await using NpgsqlConnection connection = await orders.OpenConnectionAsync();
            Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.EqualTo(provider.Held.Role));
        }
        Assert.That(pools, Is.EqualTo(2), "one of the two was thrown away");
    }

    [Test]
    public async Task Twenty_callers_at_each_of_many_changes_get_the_login_that_is_held_and_no_error()
    {
        DatabaseLogin[] logins = [await LoginAsync(), await LoginAsync(), await LoginAsync(), await LoginAsync()];
        var provider = new Provider { Held = logins[0] };
        await using CredentialDataSource orders = provider.CreateDataSource(SharedServer.Server.JobConnection + ";Maximum Pool Size=8");
        bool isOver = false;
        Task[] callers = [.. Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                await using NpgsqlConnection connection = await orders.OpenConnectionAsync();
                Assert.That(logins.Select(login => login.Role), Has.Member(await connection.SqlAsync("SELECT session_user::text")));
            }
        }))];
        for (int change = 0; change < 40; change++)
        {
            provider.Held = logins[change % logins.Length];
            await using NpgsqlConnection connection = await orders.OpenConnectionAsync();
            Assert.That(await connection.SqlAsync("SELECT session_user::text"), Is.EqualTo(provider.Held.Role));
        }
        Volatile.Write(ref isOver, true);
        await Task.WhenAll(callers);
    }

    private static async Task<DatabaseLogin> LoginAsync()
    {
        string role = OrdersJob.NewPrefix(), password = Convert.ToHexString(RandomNumberGenerator.GetBytes(24));
        await SharedServer.Server.RunSqlAsync($"CREATE ROLE {role} LOGIN IN ROLE orders_reader PASSWORD '{password}'");
        return new DatabaseLogin(role, password, TimeProvider.System.GetUtcNow().AddHours(1));
    }

    /// <summary>A provider whose credential the test changes.</summary>
    private sealed class Provider() : CredentialProvider<DatabaseLogin>("orders")
    {
        private volatile DatabaseLogin? _held;

        public DatabaseLogin? Held
        {
            get => _held;
            set => _held = value;
        }

        /// <summary>What a caller waits for who finds nothing held.</summary>
        public Task<DatabaseLogin>? Next { get; set; }

        public override bool TryGet([NotNullWhen(true)] out DatabaseLogin? credential) => (credential = _held) is not null;

        public override ValueTask<DatabaseLogin> GetAsync(CancellationToken cancellationToken = default) => _held is { } held ? new(held) : new(Next!);
    }
}
