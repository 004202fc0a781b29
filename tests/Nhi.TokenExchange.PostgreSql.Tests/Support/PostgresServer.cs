using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace Nhi.TokenExchange.Tests;

/// <summary>A PostgreSQL server of its own: in a temporary folder, on a unix socket there and a free port of the loopback, with TLS by an authority of this start. Gone with the tests, also when they crash.</summary>
/// <remarks>As root it runs as the user postgres, since it refuses root. <c>nhi_admin</c> is let in by peer, <c>postgres</c> (for the tests' own eyes) on the socket, which only the server's user and root reach; all others by SCRAM.</remarks>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string Admin = "nhi_admin";

    private readonly string _binaries;
    private Process? _guard;

    private PostgresServer(string binaries, string folder) => (_binaries, Folder) = (binaries, folder);

    public string Folder { get; }

    public int Port { get; private set; }

    /// <summary>All that the server has written, statements included.</summary>
    public string Log => File.ReadAllText(LogFile);

    /// <summary>How the admin reaches the database of the tests.</summary>
    public string AdminConnection => $"Host={Folder};Port={Port};Database=orders;Username={Admin}";

    /// <summary>How a job does.</summary>
    public string JobConnection => $"Host={Folder};Port={Port};Database=orders";

    /// <summary>The same over TCP and TLS.</summary>
    public string TlsConnection => $"Host=localhost;Port={Port};Database=orders;SSL Mode=VerifyFull;Root Certificate={Path.Combine(Folder, "root.crt")}";

    private string Data => Path.Combine(Folder, "data");

    private string LogFile => Path.Combine(Folder, "log");

    /// <exception cref="IgnoreException">PostgreSQL is not installed; in continuous integration that is a failure.</exception>
    public static async Task<PostgresServer> StartAsync()
    {
        if (FindBinaries() is not { } binaries)
        {
            const string Missing = "PostgreSQL is not installed (no initdb): run eng/postgresql.sh, or install the package postgresql.";
            if (Environment.GetEnvironmentVariable("CI") == "true")
                Assert.Fail(Missing);
            Assert.Ignore(Missing);
            throw new InvalidOperationException(Missing);
        }
        var server = new PostgresServer(binaries, Directory.CreateTempSubdirectory("nhi-pg-").FullName);
        try
        {
            server.Guard();
            server.MakeCertificates();
            if (IsRoot)
                await RunAsync("chown", "-R", "postgres", server.Folder);
            await server.RunAsServerAsync("initdb", "-D", server.Data, "-U", "postgres", "-A", "scram-sha-256", "--no-sync", "--pwfile", server.PasswordFile());
            server.Configure();
            await server.StartServerAsync();
            await server.MakeDatabasesAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task StartServerAsync() => RunAsServerAsync("pg_ctl", "-D", Data, "-w", "-t", "120", "-l", LogFile, "start");

    /// <summary>Stops the server as a crash does.</summary>
    public Task StopServerAsync() => RunAsServerAsync("pg_ctl", "-D", Data, "-w", "-t", "120", "-m", "immediate", "stop");

    /// <summary>Does statements as the superuser.</summary>
    public async Task RunSqlAsync(string sql, string database = "orders")
    {
        await using NpgsqlConnection connection = await OpenAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Asks the server as the superuser for one column.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, string database = "orders")
    {
        await using NpgsqlConnection connection = await OpenAsync(database);
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
            rows.Add(reader.GetFieldValue<T>(0));
        return rows;
    }

    /// <summary>A connection of the superuser.</summary>
    public async Task<NpgsqlConnection> OpenAsync(string database = "orders")
    {
        var connection = new NpgsqlConnection($"Host={Folder};Port={Port};Database={database};Username=postgres;Pooling=false;Timeout=60");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>The logins that jobs have at this moment.</summary>
    public Task<IReadOnlyList<string>> LoginsAsync(string prefix = "nhi") => QueryAsync<string>($"SELECT rolname::text FROM pg_roles WHERE rolname LIKE '{prefix}\\_%' AND rolname <> '{Admin}' AND rolname NOT LIKE '%\\_heir' ORDER BY 1");

    public async ValueTask DisposeAsync()
    {
        if (_guard is null)
            return;
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync();
        _guard.Dispose();
        _guard = null;
    }

    private static bool IsRoot => Environment.UserName == "root";

    // Debian keeps them out of the path.
    private static string? FindBinaries() =>
        (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(version => int.TryParse(Path.GetFileName(version), out int number) ? number : 0).Select(version => Path.Combine(version, "bin")) : [])
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "pg_ctl")));

    /// <summary>A shell that waits for the end of this process, whatever brings it, and then stops the server and removes its folder.</summary>
    private void Guard()
    {
        string stop = $"cat > /dev/null; {(IsRoot ? "runuser -u postgres -- " : "")}'{Path.Combine(_binaries, "pg_ctl")}' -D '{Data}' -m immediate -w stop > /dev/null 2>&1; rm -rf '{Folder}'";
        _guard = Process.Start(new ProcessStartInfo("setsid", ["/bin/sh", "-c", stop]) { RedirectStandardInput = true, WorkingDirectory = "/" })!;
    }

    private string PasswordFile()
    {
        string file = Path.Combine(Folder, "pw");
        File.WriteAllText(file, Convert.ToHexString(RandomNumberGenerator.GetBytes(16)));
        return file;
    }

    private void Configure()
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            Port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        File.AppendAllText(Path.Combine(Data, "postgresql.conf"), $"""

            listen_addresses = '127.0.0.1'
            port = {Port}
            unix_socket_directories = '{Folder}'
            max_connections = 150
            fsync = off
            log_statement = 'all'
            log_connections = on
            ssl = on
            ssl_cert_file = '{Path.Combine(Folder, "server.crt")}'
            ssl_key_file = '{Path.Combine(Folder, "server.key")}'

            """);
        File.WriteAllText(Path.Combine(Data, "pg_hba.conf"), $"""
            local   all     postgres      trust
            local   all     {Admin}       peer map=tests
            local   all     all           scram-sha-256
            hostssl all     token_admin   127.0.0.1/32 password
            host    cleartext all         127.0.0.1/32 password
            host    all     all           127.0.0.1/32 scram-sha-256

            """);
        File.WriteAllText(Path.Combine(Data, "pg_ident.conf"), $"tests {Environment.UserName} {Admin}\n");
    }

    private async Task MakeDatabasesAsync()
    {
        foreach (string database in (string[])["orders", "stock", "cleartext"])
            await RunSqlAsync($"CREATE DATABASE {database}", "postgres");
        await RunSqlAsync($"""
            CREATE ROLE {Admin} LOGIN CREATEROLE;
            CREATE ROLE token_admin LOGIN CREATEROLE;
            CREATE ROLE orders_reader;
            CREATE ROLE orders_writer;
            CREATE TABLE orders (id int PRIMARY KEY, total numeric);
            INSERT INTO orders VALUES (1, 217.64), (2, 385.04);
            CREATE TABLE customers (id int PRIMARY KEY);
            GRANT SELECT ON orders TO orders_reader;
            GRANT SELECT, INSERT ON orders TO orders_writer;
            GRANT CREATE ON SCHEMA public TO orders_writer;
            """);
        await RunSqlAsync("GRANT CREATE ON SCHEMA public TO orders_writer", "stock");
        int version = (await QueryAsync<int>("SELECT current_setting('server_version_num')::int"))[0];
        if (version >= 160000)
            await RunSqlAsync($"GRANT orders_reader, orders_writer TO {Admin}, token_admin WITH ADMIN OPTION, INHERIT FALSE, SET FALSE");
    }

    private void MakeCertificates()
    {
        using var authorityKey = RSA.Create(2048);
        var authorityRequest = new CertificateRequest("CN=Authority of the tests", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 authority = authorityRequest.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(authority, now.AddDays(-1), now.AddDays(1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(Folder, "root.crt"), authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(Folder, "server.crt"), certificate.ExportCertificatePem());
        string keyFile = Path.Combine(Folder, "server.key");
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private Task RunAsServerAsync(string program, params string[] arguments)
    {
        string path = Path.Combine(_binaries, program);
        return IsRoot ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments]) : RunAsync(path, arguments);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        // Into files: a server that is started keeps what it inherits open, and who reads a pipe to its end would wait for the server's.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" < /dev/null > /dev/null", program, .. arguments]) { WorkingDirectory = "/" };
        using Process process = Process.Start(start)!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}; what it said is above.");
    }
}
