using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Which roles a login may be granted: such as have rights on tables and functions, and no power over the server.</summary>
internal static class GrantedRoles
{
    // Members of these do what a superuser does, or nearly (PostgreSQL "Predefined Roles"; RDS, Cloud SQL, Azure).
    private static readonly string[] Powerful =
    [
        "pg_execute_server_program", "pg_read_server_files", "pg_write_server_files", "pg_signal_backend", "pg_create_subscription", "pg_maintain",
        "rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser", "azure_pg_admin",
    ];

    // By SET ROLE a member has the attributes too of each role that it is in, however far off.
    private const string PowersOf = """
        WITH RECURSIVE reached(oid, root) AS (
            SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = ANY ($1)
            UNION
            SELECT m.roleid, r.root FROM pg_catalog.pg_auth_members m JOIN reached r ON m.member = r.oid)
        SELECT r.root, p.rolname FROM reached r JOIN pg_catalog.pg_roles p ON p.oid = r.oid
        WHERE p.rolsuper OR p.rolcreaterole OR p.rolcreatedb OR p.rolreplication OR p.rolbypassrls OR p.rolname = ANY ($2)
        LIMIT 1
        """;

    /// <summary>Says what is wrong with the roles that a target grants, as far as their names tell; null if nothing is.</summary>
    public static string? FlawOf(ScopeSet scopes, string? actAs)
    {
        if (scopes.IsEmpty)
            return "are missing: name the roles of the database that the login is granted";
        foreach (string role in scopes.Values)
        {
            if (role.Length > SqlText.LongestName)
                return $"have a name of {role.Length} characters; a role's has at most {SqlText.LongestName}";
            if (role.StartsWith("pg_", StringComparison.Ordinal) || Powerful.Contains(role))
                return $"have '{role}' among them, a role of the server's own: make a role with the rights that the job needs, and name that";
        }
        return actAs is null || scopes.Contains(actAs) ? null : "do not have the role of ActAs among them: name it there too";
    }

    /// <summary>Asks the server.</summary>
    /// <exception cref="TokenExchangeException">A role, or one that it is in, has power over the server.</exception>
    public static async Task CheckAsync(NpgsqlConnection connection, ScopeSet scopes, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(PowersOf, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. scopes.Values] });
            command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = Powerful });
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    return;
                string granted = reader.GetString(0), power = reader.GetString(1);
                throw new TokenExchangeException(
                    ErrorCodes.IssuerRefused, ExchangeStage.Exchange,
                    $"Role '{ExceptionText.Clean(granted)}' {(granted == power ? "has" : $"is in '{ExceptionText.Clean(power)}', which has")} power over the server (superuser, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS, files, programs); no login is granted that.")
                {
                    Hint = "Make a role with the rights that the job needs on tables and functions, and name that in the target's Scopes.",
                };
            }
        }
    }
}
