namespace Nhi.TokenExchange;

/// <summary>The exchanger of this package: write <c>Targets.PostgresRole("Host=/var/run/postgresql;Database=orders;Username=nhi_admin")</c>.</summary>
public static class PostgreSqlTargets
{
    extension(Targets)
    {
        /// <summary>A login role on a PostgreSQL server (14 or later), made for each credential and dropped at its end with its sessions.</summary>
        /// <remarks>
        /// <para>The target's scopes are the roles that the login is granted: at least one, none of them with more than the rights of its tables and functions. A policy narrows them as any scopes. The login lives as long as the
        /// target's <c>MaxLifetime</c> says; nobody is let in after that (<c>VALID UNTIL</c>), its sessions end soon after it, and all of it ends with the job.</para>
        /// <para>The admin makes and drops the roles. He needs <c>CREATEROLE</c>, and from PostgreSQL 16 on the granted roles <c>WITH ADMIN OPTION</c>. He has no password. Over a unix socket (<c>Host=/var/run/postgresql</c>) the
        /// server believes the operating system (<c>peer</c> in pg_hba.conf). Over TCP his password is the access token of the target that this one goes <see cref="TargetOptions.Through"/>, such as Entra ID's for Azure Database
        /// for PostgreSQL; that needs <c>SSL Mode=VerifyFull</c>.</para>
        /// </remarks>
        /// <param name="connectionString">How the admin reaches the server, in Npgsql's form: Host, Database and Username must be there; no Password, no Passfile.</param>
        /// <param name="configure">Changes the options.</param>
        /// <exception cref="TokenExchangeException">The connection string has a secret in it (NHI1002), lacks something, or does without verified TLS (NHI1001).</exception>
        /// <exception cref="ArgumentException">It is no connection string, or an option is wrong.</exception>
        public static TokenExchanger<DatabaseLogin> PostgresRole(string connectionString, Action<PostgresRoleOptions>? configure = null)
        {
            var options = new PostgresRoleOptions();
            configure?.Invoke(options);
            return new PostgresRoleExchanger(AdminAccess.Of(connectionString), options);
        }
    }
}
