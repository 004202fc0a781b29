using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>What a login leaves in one database, when nobody gets in with it any more.</summary>
/// <remarks>
/// <para>It never goes to the admin: functions that are <c>SECURITY DEFINER</c>, views, rules and the expressions of indexes run with the rights of their owner, so whoever made one would have the admin's rights after his own end.</para>
/// <para>Plain data goes to an heir, a role without login that is in no other role. What runs with its owner's rights stays with the login's own shell, which has lost all that it was granted: as the heir's it could reach what other jobs left.</para>
/// </remarks>
/// <param name="connection">A session of the admin in that database.</param>
/// <param name="role">The login, quoted.</param>
/// <param name="oid">The login.</param>
/// <param name="heir">The name of the heir.</param>
internal sealed class LoginEstate(NpgsqlConnection connection, string role, uint oid, string heir)
{
    private const string Owns =
        """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_shdepend
            WHERE refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND refobjid = $1 AND deptype = 'o' AND dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
        """;

    // Autovacuum computes what stands in an index or in statistics, as the table's owner.
    private const string Lends =
        """
        SELECT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proowner = $1 AND prosecdef)
            OR EXISTS (SELECT FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class WHERE c.relowner = $1)
            OR EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid WHERE c.relowner = $1 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
            OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid WHERE c.relowner = $1 AND s.stxexprs IS NOT NULL)
        """;

    // Null: there is none.
    private const string HeirIsFit =
        """
        SELECT NOT (rolsuper OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = r.oid)
        FROM pg_catalog.pg_roles r WHERE rolname = $1
        """;

    private readonly string _heir = SqlText.Name(heir);

    /// <summary>Lets go of it, and takes back what was granted in this database.</summary>
    /// <returns>Why the login has to stay as its owner; null if it has not.</returns>
    /// <exception cref="PostgresException">The server refused, such as where the heir may make nothing in a schema.</exception>
    public async Task<string?> LetGoAsync(CancellationToken cancellationToken)
    {
        if (!await IsSoAsync(Owns, cancellationToken).ConfigureAwait(false))
        {
            await PostgresSql.ExecuteAsync(connection, $"DROP OWNED BY {role}", cancellationToken).ConfigureAwait(false);   // what was granted
            return null;
        }
        if (await IsSoAsync(Lends, cancellationToken).ConfigureAwait(false))
            return $"It owns what runs with its owner's rights in {connection.Database}: functions (SECURITY DEFINER), views, rules or expressions of indexes.";
        if (!await HasHeirAsync(cancellationToken).ConfigureAwait(false))
            return $"Role {heir} has a login or rights, and can be no heir.";
        await PostgresSql.ExecuteAsync(connection, $"REASSIGN OWNED BY {role} TO {_heir}; DROP OWNED BY {role}", cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async Task<bool> HasHeirAsync(CancellationToken cancellationToken)
    {
        bool? isFit = await HeirIsFitAsync(cancellationToken).ConfigureAwait(false);
        if (isFit is null)
        {
            try
            {
                await PostgresSql.ExecuteAsync(
                    connection,
                    $"CREATE ROLE {_heir} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS; COMMENT ON ROLE {_heir} IS {SqlText.Literal("Nhi.TokenExchange: owns what jobs made and left. Grant it nothing.")}",
                    cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exists) when (exists.SqlState is PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
            {
                // Another login's end has made it this instant.
            }
            isFit = await HeirIsFitAsync(cancellationToken).ConfigureAwait(false);
        }
        if (isFit != true)
            return false;
        if (!await PostgresSql.ScalarAsync<bool>(connection, "SELECT pg_catalog.pg_has_role(current_user, $1::pg_catalog.name, 'USAGE')", new NpgsqlParameter<string> { TypedValue = heir }, cancellationToken).ConfigureAwait(false))
            await PostgresSql.ExecuteAsync(connection, $"GRANT {_heir} TO CURRENT_USER", cancellationToken).ConfigureAwait(false);   // who gives something to a role has to be in it
        return true;
    }

    private Task<bool?> HeirIsFitAsync(CancellationToken cancellationToken) => PostgresSql.ScalarAsync<bool?>(connection, HeirIsFit, new NpgsqlParameter<string> { TypedValue = heir }, cancellationToken);

    private Task<bool> IsSoAsync(string question, CancellationToken cancellationToken) => PostgresSql.ScalarAsync<bool>(connection, question, PostgresSql.Oid(oid), cancellationToken);
}
