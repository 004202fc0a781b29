using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>What a login leaves in one database, when nobody gets in with it any more.</summary>
/// <remarks>
/// <para>It never goes to the admin: functions that are <c>SECURITY DEFINER</c>, views, rules and the expressions of indexes run with the rights of their owner, so whoever made one would have the admin's rights after his own end.</para>
/// <para>Plain data goes to an heir, a role without login that is in no other role: tables of the server's own types, without triggers, rules, foreign keys, partitions and computed indexes; sequences; large objects. What else there is may run with its owner's
/// rights, and as the heir's could reach what other jobs left. So it stays with the login's own shell, which has lost all that it was granted, and with it all else of this database: the server lets one thing alone be given only to a role that may make
/// things in its schema, and the heir may do nothing.</para>
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

    // What is not plain, of all that it owns here and in the server as a whole. A foreign key changes rows as the owner of the table that it stands in, and looks as that of the one that it names, by casts of whoever made it; autovacuum
    // computes what stands in an index, in statistics or in a type's own functions as the table's owner. Columns, defaults and checks are the writer's.
    private const string NotPlain =
        """
        SELECT pg_catalog.pg_describe_object(s.classid, s.objid, 0)
        FROM pg_catalog.pg_shdepend s
        WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = $1 AND s.deptype = 'o'
            AND s.dbid IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))
            AND s.classid NOT IN ('pg_catalog.pg_largeobject'::pg_catalog.regclass, 'pg_catalog.pg_default_acl'::pg_catalog.regclass)
            AND NOT (s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = s.objid AND (c.relkind = 'S' OR (c.relkind = 'r'
                AND c.reloftype = 0
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite WHERE ev_class = c.oid)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE c.oid IN (inhrelid, inhparent))
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contype IN ('f', 'x') AND c.oid IN (conrelid, confrelid))
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = c.oid AND (indexprs IS NOT NULL OR indpred IS NOT NULL))
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_statistic_ext WHERE stxrelid = c.oid)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace)
                AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) g WHERE g.grantee <> c.relowner AND g.privilege_type IN ('REFERENCES', 'TRIGGER'))
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) g WHERE a.attrelid = c.oid AND g.grantee <> c.relowner AND g.privilege_type = 'REFERENCES')))))
        ORDER BY 1 LIMIT 3
        """;

    private const int LongestNames = 200;

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
        List<string> notPlain = await PostgresSql.TextsAsync(connection, NotPlain, PostgresSql.Oid(oid), cancellationToken).ConfigureAwait(false);
        if (notPlain.Count > 0)
            return $"What it owns in {connection.Database} stays with it, for some of that may run with its owner's rights: {ExceptionText.Clean(string.Join(", ", notPlain), LongestNames)}.";
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
