using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Turns a provider into a data source of Npgsql.</summary>
public static class NpgsqlCredentialExtensions
{
    private const string Instead = "The target's credential is the password: there is nothing to write.";

    /// <summary>A data source that logs in as the target's current login. No server is told its password: the login is proved by SCRAM-SHA-256, and a server that asks for anything else is refused.</summary>
    /// <param name="provider">The provider of a target such as <c>Targets.PostgresRole(…)</c>.</param>
    /// <param name="connectionString">Host, Port, Database and what else there is to say, in Npgsql's form; without Username and Password. A server that is not on this machine needs <c>SSL Mode=VerifyFull</c>.</param>
    /// <param name="configure">Changes the builder of each pool: types, logging, certificates. Several callers may be in it at once.</param>
    /// <exception cref="TokenExchangeException">The connection string has a secret in it (NHI1002), a user name, no host, or does without verified TLS (NHI1001).</exception>
    /// <exception cref="ArgumentException">It is no connection string.</exception>
    public static CredentialDataSource CreateDataSource(this CredentialProvider<DatabaseLogin> provider, string connectionString, Action<NpgsqlDataSourceBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(provider);
        NpgsqlConnectionStringBuilder connection = ConnectionRules.Read(connectionString, Instead);
        if (connection.Username is { Length: > 0 })
            throw ConnectionRules.Flaw("has a Username", "Take it out: the login has its own, which changes.");
        if (!ConnectionRules.IsLocal(connection))
            ConnectionRules.DemandVerifiedTls(connection, "what a job reads and writes goes over no line that others hear");
        connection.RequireAuth = "ScramSHA256";
        return Make(provider, connection, login => login.Role, login => login.Reveal(), configure);
    }

    /// <summary>A data source whose password is the target's current access token: Entra ID's for Azure Database for PostgreSQL, and its like. The server reads the token, so it must have shown its certificate.</summary>
    /// <param name="provider">The provider of a target that gives such tokens.</param>
    /// <param name="connectionString">Host, Port, Database, Username and what else there is to say, in Npgsql's form; without Password, and with <c>SSL Mode=VerifyFull</c>.</param>
    /// <param name="configure">Changes the builder of each pool: types, logging, certificates. Several callers may be in it at once.</param>
    /// <exception cref="TokenExchangeException">The connection string has a secret in it (NHI1002), no user name, no host, or does without verified TLS (NHI1001).</exception>
    /// <exception cref="ArgumentException">It is no connection string.</exception>
    public static CredentialDataSource CreateDataSource(this CredentialProvider<BearerToken> provider, string connectionString, Action<NpgsqlDataSourceBuilder>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(provider);
        NpgsqlConnectionStringBuilder connection = ConnectionRules.Read(connectionString, Instead);
        if (connection.Username is not { Length: > 0 } user)
            throw ConnectionRules.Flaw("has no Username", "Write the role that the server maps the token to.");
        ConnectionRules.DemandVerifiedTls(connection, "a token goes to a server that has shown its certificate, and to no other");
        return Make(provider, connection, _ => user, token => token.Reveal(), configure);
    }

    private static CredentialDataSource Make<T>(CredentialProvider<T> provider, NpgsqlConnectionStringBuilder connection, Func<T, string> userOf, Func<T, string> passwordOf, Action<NpgsqlDataSourceBuilder>? configure)
        where T : Credential
    {
        connection.PersistSecurityInfo = false;
        string text = connection.ConnectionString;
        return new CredentialDataSource(new CredentialPools<T>(provider, MakePool, userOf, passwordOf, text));

        NpgsqlDataSource MakePool(string user, Func<string> password)
        {
            var builder = new NpgsqlDataSourceBuilder(text);
            configure?.Invoke(builder);
            builder.ConnectionStringBuilder.Username = user;
            // Not the periodic one, whose timer knows nothing of the credential's life. Asked for each connection to the server, before PGPASSWORD and password files.
            builder.UsePasswordProvider(_ => password(), (_, _) => new ValueTask<string>(password()));
            return builder.Build();
        }
    }
}
