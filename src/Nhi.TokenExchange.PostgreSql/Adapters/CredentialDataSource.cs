using System.Data.Common;
using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>Opens connections with a target's current credential: job code writes no user name and no password. Make one by <see cref="NpgsqlCredentialExtensions"/>, and one for each target.</summary>
/// <remarks>
/// <para>The provider is asked for each connection. A new credential with a new user name gets a pool of its own, and the one before lets go of its idle connections at once, of the others when they come back; a new password of the
/// same user keeps the pool and empties it. So no connection is given out that a credential opened which has been replaced, and the password is in no connection string, no key of a pool, no log.</para>
/// <para>Where the server lets a credential in no more (SQLSTATE 28P01, 28000), it is rejected, and the connection opened once more with another one. That needs <see cref="OpenConnectionAsync"/> or <see cref="OpenConnection"/>:
/// a connection that <see cref="CreateConnection"/> gave and its caller opens, as Entity Framework does, follows the credential, but what is refused there is the caller's to see.</para>
/// <para>Safe to use from any number of threads. Dispose it before the job.</para>
/// </remarks>
public sealed class CredentialDataSource : DbDataSource
{
    private readonly CredentialPools _pools;

    internal CredentialDataSource(CredentialPools pools) => _pools = pools;

    /// <summary>The connection string that it was made with, which has no user name of a login and no password.</summary>
    public override string ConnectionString => _pools.ConnectionString;

    /// <summary>Opens a connection.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TokenExchangeException">There is no credential, or the job has ended.</exception>
    /// <exception cref="NpgsqlException">The server refused the connection, or was not reached.</exception>
    public new ValueTask<NpgsqlConnection> OpenConnectionAsync(CancellationToken cancellationToken = default) => _pools.OpenAsync(cancellationToken);

    /// <summary>As <see cref="OpenConnectionAsync"/>, blocking its caller.</summary>
    public new NpgsqlConnection OpenConnection() => _pools.Open();

    /// <summary>Makes a connection that its caller opens, soon: it keeps to the credential of this moment. Blocks where there is none yet.</summary>
    /// <exception cref="TokenExchangeException">There is no credential, or the job has ended.</exception>
    public new NpgsqlConnection CreateConnection() => _pools.Create();

    /// <summary>The target's name; never a password.</summary>
    public override string ToString() => $"Data source of target '{_pools.Target}'";

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection() => CreateConnection();

    /// <inheritdoc/>
    protected override DbConnection OpenDbConnection() => OpenConnection();

    /// <inheritdoc/>
    protected override async ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default) => await OpenConnectionAsync(cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _pools.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await _pools.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsyncCore().ConfigureAwait(false);
    }
}
