using System.Net;
using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>What a connection string must and must not say, an admin's and a job's.</summary>
internal static class ConnectionRules
{
    /// <summary>Reads a connection string that has no secret in it.</summary>
    /// <param name="connectionString">In Npgsql's form.</param>
    /// <param name="instead">What stands in for a password: a sentence.</param>
    /// <exception cref="TokenExchangeException">It has a password, or the name of a file with one.</exception>
    /// <exception cref="ArgumentException">It is no connection string.</exception>
    public static NpgsqlConnectionStringBuilder Read(string connectionString, string instead)
    {
        ArgumentException.ThrowIfNullOrEmpty(connectionString);
        NpgsqlConnectionStringBuilder read;
        try
        {
            read = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (ArgumentException)   // its message may quote a part of what was written, and that may be a password
        {
            throw new ArgumentException("The connection string is none of Npgsql's: a keyword is unknown, or a value is not of its kind. It is not quoted, since a secret may be in it.", nameof(connectionString));
        }
        if (read.Password is { Length: > 0 })
            throw Secret("Password");
        if (read.Passfile is { Length: > 0 })
            throw Secret("Passfile");
        if (read.SslPassword is { Length: > 0 })
            throw Secret("SSL Password");
        if (read.SslKey is { Length: > 0 } || read.SslCertificate is { Length: > 0 })
            throw Secret("SSL Key");
        if (string.IsNullOrEmpty(read.Host))
            throw Flaw("has no Host", "Write the server's name, or the folder of its unix socket, such as Host=/var/run/postgresql.");
        return read;

        TokenExchangeException Secret(string keyword) =>
            new(ErrorCodes.StaticSecret, ExchangeStage.Configure, $"The connection string has a {keyword}: static secrets have no place here.") { Hint = $"Take it out, and rotate it. {instead}" };
    }

    /// <summary>Whether the server, or each of them, is reached by a unix socket, which the operating system guards.</summary>
    public static bool IsSocket(NpgsqlConnectionStringBuilder connection) => connection.Host!.Split(',').All(IsSocket);

    /// <summary>Whether nobody but this machine hears what is said, whichever of the servers it is said to.</summary>
    public static bool IsLocal(NpgsqlConnectionStringBuilder connection) => connection.Host!.Split(',').All(host => IsSocket(host) || IsLoopback(host));

    /// <exception cref="TokenExchangeException">TLS is off, or the server's certificate and name are not verified.</exception>
    public static void DemandVerifiedTls(NpgsqlConnectionStringBuilder connection, string why)
    {
        if (connection.SslMode != SslMode.VerifyFull)
            throw Flaw($"has SSL Mode {connection.SslMode}; {why}", "Write SSL Mode=VerifyFull, and Root Certificate=/path/of/your/authority.pem where the system does not trust it.");
    }

    public static TokenExchangeException Flaw(string what, string hint) =>
        new(ErrorCodes.InvalidConfiguration, ExchangeStage.Configure, $"The connection string {what}.") { Hint = hint };

    private static bool IsSocket(string host) => host.StartsWith('/') || host.StartsWith('@');

    private static bool IsLoopback(string host) => host == "localhost" || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
