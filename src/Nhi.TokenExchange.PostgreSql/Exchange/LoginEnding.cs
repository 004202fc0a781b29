using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Ends one login role: nobody gets in, its sessions go, what it owns is kept, the role is dropped.</summary>
/// <remarks>
/// <para>1. <c>NOLOGIN</c>, committed by itself: from then on there are no new sessions. 2. Its sessions are terminated and waited for. From here on the credential is dead, whatever comes. 3. The roles that it was in are taken from it. 4. In each
/// database where something depends on it, what it owns finds another owner (<see cref="LoginEstate"/>), and what it was granted is taken back: data that a job made is never dropped with its login. 5. <c>DROP ROLE</c>.</para>
/// <para>A role that is not there may be about to be made, by a session whose client was cut off or killed: that session is ended, and the role looked for once more. So it is either there, or never will be.</para>
/// <para>Each step may have been done before, by us or by another process: it is done again, or finds nothing to do. A role that can't be dropped for a reason that time does not cure stays as an empty shell, which has
/// neither login nor session; its comment says why. So does one that owns what may run with its owner's rights.</para>
/// </remarks>
/// <param name="admin">Who ends it.</param>
/// <param name="proof">His access token, where he has to show one.</param>
/// <param name="name">The login.</param>
/// <param name="heir">Who gets what it owned.</param>
internal sealed class LoginEnding(AdminAccess admin, SubjectToken? proof, string name, string heir)
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
            await PostgresSql.ExecuteAsync(connection, $"ALTER ROLE {_role} NOLOGIN", cancellationToken).ConfigureAwait(false);   // by itself: what fails after it does not let anybody in again
            // As a member the admin may terminate its sessions and take over what it owns.
            await PostgresSql.ExecuteAsync(connection, $"GRANT {_role} TO CURRENT_USER", cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException gone) when (gone.SqlState == PostgresErrorCodes.UndefinedObject)
        {
            return Revocation.AlreadyGone;
        }
        await TerminateSessionsAsync(connection, oid, cancellationToken).ConfigureAwait(false);
        string? keepsRights = await LoseRightsAsync(connection, oid, cancellationToken).ConfigureAwait(false);
        string? stays = await LetGoAsync(connection, oid, cancellationToken).ConfigureAwait(false);
        await TerminateSessionsAsync(connection, oid, cancellationToken).ConfigureAwait(false);   // one that was just being let in when we began
        stays ??= await RefusalOfAsync(async () =>
        {
            await PostgresSql.ExecuteAsync(connection, $"DROP ROLE IF EXISTS {_role}", cancellationToken).ConfigureAwait(false);
            return null;
        }).ConfigureAwait(false);
        if (stays is not null)
            await PostgresSql.ExecuteAsync(connection, $"COMMENT ON ROLE {_role} IS {SqlText.Literal($"Nhi.TokenExchange: ended (no login, no session), but not dropped. {stays}{(keepsRights is null ? "" : $" It is still in roles whose rights it lends: {keepsRights}")}")}", cancellationToken).ConfigureAwait(false);
        return Revocation.Revoked;
    }

    private Task<uint?> OidAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        PostgresSql.ScalarAsync<uint?>(connection, "SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $1", new NpgsqlParameter<string> { TypedValue = name }, cancellationToken);

    private static Task TerminateSessionsAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken) => TerminateAsync(connection, Sessions, PostgresSql.Oid(oid), cancellationToken);

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

    private static async Task<int> TellAsync(NpgsqlConnection connection, string termination, string which, NpgsqlParameter of, CancellationToken cancellationToken) =>
        (int)await PostgresSql.ScalarAsync<long>(connection, $"SELECT count({termination}) FROM pg_catalog.pg_stat_activity WHERE {which}", of.Clone(), cancellationToken).ConfigureAwait(false);

    // From here on it lends nobody anything: what it owns may run with its rights, and may have to stay with it.
    private async Task<string?> LoseRightsAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken)
    {
        const string Memberships = "SELECT r.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid WHERE m.member = $1";
        List<string> granted = await PostgresSql.TextsAsync(connection, Memberships, PostgresSql.Oid(oid), cancellationToken).ConfigureAwait(false);
        if (granted.Count == 0)
            return null;
        string? refusal = await RefusalOfAsync(async () =>
        {
            await PostgresSql.ExecuteAsync(connection, $"REVOKE {string.Join(", ", granted.Select(SqlText.Name))} FROM {_role}", cancellationToken).ConfigureAwait(false);
            return null;
        }).ConfigureAwait(false);
        // From 16 on the server only warns of what somebody else granted.
        List<string> kept = await PostgresSql.TextsAsync(connection, Memberships, PostgresSql.Oid(oid), cancellationToken).ConfigureAwait(false);
        return kept.Count == 0 ? null : $"{ExceptionText.Clean(string.Join(", ", kept), LongestReason)}{(refusal is null ? "" : $" ({refusal})")}";
    }

    /// <returns>Why the role has to stay; null if it has not. A database that refuses keeps no other from being left.</returns>
    private async Task<string?> LetGoAsync(NpgsqlConnection connection, uint oid, CancellationToken cancellationToken)
    {
        const string Databases =
            """
            SELECT DISTINCT COALESCE(d.datname, current_database())::text
            FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid
            WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND s.refobjid = $1 AND (s.dbid = 0 OR d.datallowconn)
            """;
        string? stays = null;
        foreach (string database in await PostgresSql.TextsAsync(connection, Databases, PostgresSql.Oid(oid), cancellationToken).ConfigureAwait(false))
        {
            string? refusal = await RefusalOfAsync(() => database == connection.Database
                ? new LoginEstate(connection, _role, oid, heir).LetGoAsync(cancellationToken)
                : admin.RunInAsync(database, proof, other => new LoginEstate(other, _role, oid, heir).LetGoAsync(cancellationToken), cancellationToken)).ConfigureAwait(false);
            stays ??= refusal;
        }
        return stays;
    }

    // What time does not cure.
    private static async Task<string?> RefusalOfAsync(Func<Task<string?>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (PostgresException refused) when (!PostgresFailure.IsTransient(refused))
        {
            return $"{refused.SqlState}: {ExceptionText.Clean(refused.MessageText, LongestReason)}";
        }
    }
}
