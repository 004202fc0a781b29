using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Runs statements in a session of the admin.</summary>
internal static class PostgresSql
{
    /// <summary>Runs statements without parameters: all of them, or none.</summary>
    /// <param name="connection">The session.</param>
    /// <param name="sql">Utility statements take no parameters: <see cref="SqlText"/> quotes.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // Quoted.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks for one value; the default where there is no row.</summary>
    public static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string sql, NpgsqlParameter parameter, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // A constant of the caller's, with a parameter.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(parameter);
            return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is T value ? value : default;
        }
    }

    /// <summary>Asks for a column of texts.</summary>
    public static async Task<List<string>> TextsAsync(NpgsqlConnection connection, string sql, NpgsqlParameter parameter, CancellationToken cancellationToken)
    {
#pragma warning disable CA2100 // A constant of the caller's, with a parameter.
        var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        await using (command.ConfigureAwait(false))
        {
            command.Parameters.Add(parameter);
            var texts = new List<string>();
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                    texts.Add(reader.GetString(0));
            }
            return texts;
        }
    }

    public static NpgsqlParameter Oid(uint oid) => new() { Value = oid, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid };
}
