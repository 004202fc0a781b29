using System.Collections.Concurrent;
using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>How the admin gets in: as the operating system's user over a unix socket, or with an exchanged token over verified TLS. Never with a password of his own.</summary>
internal sealed class AdminAccess
{
    // Each session does a few statements. Hundreds of jobs that end at once must not take all of the server's slots.
    private const int MostSessions = 4;
    private const int ConnectSeconds = 10;
    private const int StatementSeconds = 30;

    // Nobody's functions stand in for the server's own; a backslash is one; who waits for a lock lets others go on.
    private const string SessionSettings = "-c search_path=pg_catalog -c standard_conforming_strings=on -c lock_timeout=5s";

    // One for all targets and jobs of the process. There are as many as there are servers.
    private static readonly ConcurrentDictionary<(string Host, int Port, string User), SemaphoreSlim> s_free = new();

    private readonly NpgsqlConnectionStringBuilder _connection;
    private readonly SemaphoreSlim _free;

    private AdminAccess(NpgsqlConnectionStringBuilder connection)
    {
        _connection = connection;
        _free = s_free.GetOrAdd((connection.Host!, connection.Port, connection.Username!), _ => new SemaphoreSlim(MostSessions));
        string host = IsPeer ? "" : $"{connection.Host}:{connection.Port}";
        string socket = IsPeer ? $"?host={Uri.EscapeDataString(connection.Host!)}&port={connection.Port}" : "";
        Server = new Uri($"postgresql://{host}/{Uri.EscapeDataString(connection.Database!)}{socket}");   // as libpq writes it
    }

    /// <summary>The server and the database, as an address without user.</summary>
    public Uri Server { get; }

    /// <summary>Whether the operating system says who the admin is; else an exchanged token does.</summary>
    public bool IsPeer => ConnectionRules.IsSocket(_connection);

    public string UserName => _connection.Username!;

    public static AdminAccess Of(string connectionString)
    {
        NpgsqlConnectionStringBuilder connection = ConnectionRules.Read(
            connectionString,
            "Let the admin in by peer over the unix socket (Host=/var/run/postgresql, and a line \"local all nhi_admin peer map=…\" in pg_hba.conf), or let the target go Through another one whose access token is the admin's password.");
        if (string.IsNullOrEmpty(connection.Database))
            throw ConnectionRules.Flaw("has no Database", "Write the database that the job works in.");
        if (string.IsNullOrEmpty(connection.Username))
            throw ConnectionRules.Flaw("has no Username", "Write the admin's role.");
        if (connection.Host!.Contains(',', StringComparison.Ordinal))
            throw ConnectionRules.Flaw("names several servers", "Name the one that is written to.");
        if (!ConnectionRules.IsSocket(connection))
            ConnectionRules.DemandVerifiedTls(connection, "the admin's token goes to a server that has shown its certificate, and to no other");
        connection.Pooling = false;   // an admin's session lives as long as its work
        connection.Enlist = false;
        connection.Multiplexing = false;
        connection.PersistSecurityInfo = false;
        connection.IncludeErrorDetail = false;
        connection.LogParameters = false;
        connection.Timeout = ConnectSeconds;
        connection.CommandTimeout = StatementSeconds;
        connection.ApplicationName ??= "Nhi.TokenExchange";
        connection.Options = connection.Options is { Length: > 0 } own ? $"{own} {SessionSettings}" : SessionSettings;
        return new AdminAccess(connection);
    }

    /// <summary>Does something in a session of the admin, in the declared database.</summary>
    /// <param name="proof">The access token where he has to show one.</param>
    /// <param name="work">What to do.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<T> RunAsync<T>(SubjectToken? proof, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunInAsync(null, proof, work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <summary>Does something in another database of the server, for one who is in a session already: waiting for another place he might wait for himself.</summary>
    public async Task<T> RunInAsync<T>(string? database, SubjectToken? proof, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        NpgsqlDataSource source = SourceFor(proof, database);
        await using (source.ConfigureAwait(false))
        {
            NpgsqlConnection connection = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                return await work(connection).ConfigureAwait(false);
            }
        }
    }

    private NpgsqlDataSource SourceFor(SubjectToken? proof, string? database)
    {
        var builder = new NpgsqlSlimDataSourceBuilder(_connection.ConnectionString);
        builder.EnableTransportSecurity().EnableArrays();
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));   // the built-in types do
        if (database is not null)
            builder.ConnectionStringBuilder.Database = database;
        // Asked before PGPASSWORD and password files, which are none of ours.
        builder.UsePasswordProvider(_ => Password(proof), (_, _) => new ValueTask<string>(Password(proof)));
        return builder.Build();
    }

    private string Password(SubjectToken? proof) => proof is not null && !IsPeer
        ? proof.Reveal()
        : throw new TokenExchangeException(ErrorCodes.IssuerRefused, ExchangeStage.Exchange, $"The server asks for a password of '{ExceptionText.Clean(UserName)}', and there is none.")
        {
            Hint = "Let pg_hba.conf have a line with peer for this role on the socket, before any that asks for a password.",
        };
}
