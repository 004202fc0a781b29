using System.Globalization;
using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>The kind that this package brings, and its settings.</summary>
internal static class PostgreSqlKinds
{
    private const int StandardPort = 5432;
    // Stands in where a setting is wrong, which is noted; what is made of it is thrown away.
    private const string PlaceholderHost = "placeholder.invalid";

    public static TokenExchanger<DatabaseLogin> PostgresRole(SettingsReader settings)
    {
        string host = Host(settings);
        bool isSocket = host.StartsWith('/');
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = host,
            Port = Number(settings, "Port", 1, 65535) ?? StandardPort,
            Database = settings.Text("Database"),
            Username = settings.Text("Username"),
            SslMode = isSocket ? SslMode.Disable : SslMode.VerifyFull,
        };
        if (settings.OptionalText("RootCertificate") is not null)
        {
            connection.RootCertificate = settings.FilePath("RootCertificate");
            if (isSocket)
                settings.Error("RootCertificate", "is set, while Host is a unix socket, which has no TLS", "Take it out.");
        }
        string? actAs = settings.OptionalText("ActAs"), audience = settings.OptionalText("SubjectAudience"), prefix = settings.OptionalText("RolePrefix");
        int? limit = Number(settings, "ConnectionLimit", 1, 10_000);
        if (prefix is not null && LoginName.FlawOfPrefix(prefix) is { } flaw)
        {
            settings.Error("RolePrefix", flaw, "Write a short word, such as nhi.");
            prefix = null;
        }
        return Targets.PostgresRole(connection.ConnectionString, options =>
        {
            options.ActAs = actAs;
            options.ConnectionLimit = limit;
            options.RolePrefix = prefix ?? options.RolePrefix;
            options.SubjectAudience = audience;
        });
    }

    private static string Host(SettingsReader settings)
    {
        string host = settings.Text("Host");
        if (settings.OptionalText("Host") is null)
            return PlaceholderHost;   // missing or wrong, which is noted
        if (host.StartsWith('/') || Uri.CheckHostName(host) != UriHostNameType.Unknown)
            return host;
        settings.Error("Host", "is neither the name of a server nor the folder of a unix socket", "Write such as db.example or /var/run/postgresql, without port and without postgresql://.");
        return PlaceholderHost;
    }

    private static int? Number(SettingsReader settings, string name, int min, int max)
    {
        if (settings.OptionalText(name) is not { } text)
            return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= min && number <= max)
            return number;
        settings.Error(name, $"is no number from {min.ToString(CultureInfo.InvariantCulture)} to {max.ToString(CultureInfo.InvariantCulture)}", "Correct it, or take it out.");
        return null;
    }
}
