using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Ends one login role: nobody gets in, its sessions go, what it owns is kept, the role is dropped.</summary>
/// <remarks>
/// <para>1. <c>NOLOGIN</c>, committed by itself: from then on there are no new sessions. 2. Its sessions are terminated and waited for. From here on the credential is dead, whatever comes. 3. In each database where something depends
/// on the role, what it owns goes to the admin and what it was granted is taken back (<c>REASSIGN OWNED</c>, then <c>DROP OWNED</c>): data that a job made is never dropped with its login. 4. <c>DROP ROLE</c>.</para>
/// <para>A role that is not there may be about to be made, by a session whose client was cut off or killed: that session is ended, and the role looked for once more. So it is either there, or never will be.</para>
/// <para>Each step may have been done before, by us or by another process: it is done again, or finds nothing to do. A role that can't be dropped for a reason that time does not cure stays as an empty shell, which has
/// neither login nor session; its comment says why.</para>
/// </remarks>
internal sealed class LoginEnding(AdminAccess admin, SubjectToken? proof, string name)
{
    private const int MostTries = 5;
    private const int MostRounds = 5;
    private const int LongestReason = 200;

    private const string Sessions = "usesysid = $1";
    // Sessions of the admin whose statement names the login: it makes it, or is the one before that. Who sent it may have gone away; the server goes on with it, or waits for a lock.
    private const string Makers = "usename = current_user AND pid <> pg_catalog.pg_backend_pid() AND pg_catalog.strpos(query, $1) > 0";

    private readonly string _role = SqlText.Name(name);

    public async Task<Revocation> EndAsync(CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await admin.RunAsync(proof, connection => EndAsync(connection, cancellationToken), cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException collision) when (PostgresFailure.IsCollision(collision) && attempt < MostTries)
            {
                // Others changed the same row of a catalog: their turn is over now.
            }
        }
    }

    private async Task<Revocation> EndAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        uint? found = await OidAsync(connection, cancellationToken).ConfigureAwait(false);
        if (found is null)
        {
            await TerminateAsync(connection, Makers, new NpgsqlParameter<string> { TypedValue = _role }, cancellationToken).ConfigureAwait(false);
            found = await OidAsync(connection, cancellationToken).ConfigureAwait(false);   // in any case: it may have been made since the first look
        }
        if (found is not { } oid)
            return Revocation.AlreadyGone;
        try
        {
            // As a member the admin may terminate its sessions and take over what it owns.
            await ExecuteAsync(connection, $"ALTER ROLE {_role} NOLOGIN; GRANT {_role} TO CURRENT_USER", cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedObject)
        {
            return Revocation.AlreadyGone;
        }
        await TerminateSessionsAsync(connection, oid, cancellationToken).ConfigureAwait(false);
        try
        {
            await LetGoAsync(connection, oid, cancellationToken).ConfigureAwait(false);
            await TerminateSessionsAsync(connection, oid, cancellationToken).ConfigureAwait(false);   // one that was just being let in when we began
            await ExecuteAsync(connection, $"DROP ROLE IF EXISTS {_role}", cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException stays) when (!PostgresFailure.IsTransient(stays))
        {
            string why = $"Nhi.TokenExchange: ended (no login, no session), but not dropped. {stays.SqlState}: {ExceptionText.Clean(stays.MessageText, LongestReason)}";
            await ExecuteAsync(connection, $"COMMENT ON ROLE {_role} IS {SqlText.Literal(why)}", cancellationToken).ConfigureAwait(false);
        }
        return Revocation.Revoked;
    }

    private async Task<uint?> OidAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand("SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
            return (uint?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private static Task TerminateSessionsAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken) =>
        TerminateAsync(connection, Sessions, new NpgsqlParameter { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid }, cancellationToken);

    // All are told first, then each is waited for on the server.
    private static async Task TerminateAsync(NpgsqlConnection connection, string which, NpgsqlParameter of, CancellationToken cancellationToken)
    {
        for (int round = 0; round < MostRounds; round++)
        {
            int told = await TellAsync(connection, "pg_catalog.pg_terminate_backend(pid)", which, of, cancellationToken).ConfigureAwait(false);
            if (told == 0 || await TellAsync(connection, "pg_catalog.pg_terminate_backend(pid, 1000)", which, of, cancellationToken).ConfigureAwait(false) == 0)
                return;
        }
        throw new TokenExchangeException(ErrorCodes.RevocationFailed, ExchangeStage.Revoke, "A session of the login is still there after it was terminated several times.") { IsTransient = true };
    }

    private static async Task<int> TellAsync(NpgsqlConnection connection, string termination, string which, NpgsqlParameter of, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // The constants above, and the two calls that there are.
        var command = new NpgsqlCommand($"SELECT count({termination}) FROM pg_catalog.pg_stat_activity WHERE {which}", connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(of.Clone());
            return (int)(long)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
        }
    }

    private async Task LetGoAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken)
    {
        // These act on the database that one is in, and on what all databases share.
        string letGo = $"REASSIGN OWNED BY {_role} TO CURRENT_USER; DROP OWNED BY {_role}";
        foreach (string? database in await DatabasesAsync(connection, oid, cancellationToken).ConfigureAwait(false))
        {
            if (database == connection.Database)
            {
                await ExecuteAsync(connection, letGo, cancellationToken).ConfigureAwait(false);
                continue;
            }
            await admin.RunInAsync(database, proof, other => ExecuteAsync(other, letGo, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<List<string>> DatabasesAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(
            """
            SELECT DISTINCT COALESCE(d.datname, current_database())
            FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
            WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = $1 AND (s.dbid = 0 OR d.datallowconn)
            """, connection);
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid });
            var databases = new List<string>();
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    databases.Add(reader.GetString(0));
            }
            return databases;
        }
    }

    private static async Task<bool> ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Utility statements take no parameters: SqlText quotes.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
        return true;
    }
}
