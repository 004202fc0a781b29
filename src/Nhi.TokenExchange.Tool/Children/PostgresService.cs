using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>One target of database logins as a service of libpq.</summary>
internal sealed class PostgresService
{
    private const int StandardPort = 5432;

    // Where libraries of TLS have the authorities that the system trusts. libpq has a word for them only from version 16 on.
    private static readonly string[] SystemRoots = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

    private readonly CredentialProvider<DatabaseLogin> _provider;
    private readonly CredentialRequest _request;
    private readonly string _host;
    private readonly string _port;
    private readonly string _database;
    private readonly string? _roots;

    /// <param name="session">The job.</param>
    /// <param name="target">A target that gives logins.</param>
    /// <param name="caller">The program that they are for.</param>
    /// <param name="rootCertificate">The authority of the server, as the settings name it; null: those of the system.</param>
    /// <exception cref="TokenExchangeException">There is no such target (NHI1003), or it gives something else (NHI1004).</exception>
    public PostgresService(JobSession session, string target, CredentialCaller caller, string? rootCertificate)
    {
        _provider = session.Provider<DatabaseLogin>(target);
        _request = new CredentialRequest { Caller = caller };
        // As libpq writes it: the target's issuer is its server and database.
        Uri server = session.Runtime(target).Plan.Exchanger.Issuer;
        Dictionary<string, string> query = server.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]), StringComparer.Ordinal);
        IsSocket = query.TryGetValue("host", out string? socket);
        _host = socket ?? server.DnsSafeHost;
        _port = query.GetValueOrDefault("port") ?? (server.Port < 0 ? StandardPort : server.Port).ToString(CultureInfo.InvariantCulture);
        _database = Uri.UnescapeDataString(server.AbsolutePath.TrimStart('/'));
        _roots = IsSocket ? null : rootCertificate ?? SystemRoots.FirstOrDefault(File.Exists);
        Target = target;
    }

    public string Target { get; }

    private bool IsSocket { get; }

    public ValueTask<DatabaseLogin> GetAsync(CancellationToken cancellationToken) => _provider.GetAsync(_request, cancellationToken);

    public void AppendTo(StringBuilder services, DatabaseLogin login)
    {
        services.Append('[').Append(Line(Target)).Append("]\nhost=").Append(Line(_host)).Append("\nport=").Append(_port).Append("\ndbname=").Append(Line(_database)).Append("\nuser=").Append(login.Role);
        services.Append("\nsslmode=").Append(IsSocket ? "disable" : "verify-full").Append('\n');
        if (_roots is not null)
            services.Append("sslrootcert=").Append(Line(_roots)).Append('\n');
    }

    public void AppendPasswordTo(StringBuilder passwords, DatabaseLogin login)
    {
        // libpq calls the socket in its standard folder by this name, and which folder that is depends on how it was built.
        string[] hosts = IsSocket ? [_host, "localhost"] : [_host];
        foreach (string host in hosts)
            passwords.AppendJoin(':', new[] { host, _port, _database, login.Role, login.Reveal() }.Select(Escaped)).Append('\n');
    }

    private static string Escaped(string field) => Line(field).Replace(@"\", @"\\", StringComparison.Ordinal).Replace(":", @"\:", StringComparison.Ordinal);

    private static string Line(string value) => value.AsSpan().IndexOfAny("\r\n\0") < 0 ? value : throw new UsageException($"--psql: '{ExceptionText.Clean(value)}' can't stand in a service file of PostgreSQL. Give it a plain name.");
}
