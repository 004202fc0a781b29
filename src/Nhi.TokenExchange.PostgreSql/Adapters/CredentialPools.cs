using Npgsql;

namespace Nhi.TokenExchange;

/// <summary>The pools of a <see cref="CredentialDataSource"/>.</summary>
internal abstract class CredentialPools : IDisposable, IAsyncDisposable
{
    public abstract string ConnectionString { get; }

    public abstract string Target { get; }

    public abstract ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken);

    public abstract NpgsqlConnection Open();

    public abstract NpgsqlConnection Create();

    public abstract void Dispose();

    public abstract ValueTask DisposeAsync();
}

/// <summary>One pool for the user of the current credential, and the one before it until the next change: who has one of its connections goes on, and gives it back to be closed.</summary>
/// <param name="provider">Gives the credential; its own cache is the only one.</param>
/// <param name="makePool">Makes the pool of a credential's user, with what gives that user's current password.</param>
/// <param name="userOf">The user name of a credential.</param>
/// <param name="passwordOf">Its password.</param>
/// <param name="connectionString">Without user and password.</param>
internal sealed class CredentialPools<T>(CredentialProvider<T> provider, Func<string, Func<string>, NpgsqlDataSource> makePool, Func<T, string> userOf, Func<T, string> passwordOf, string connectionString) : CredentialPools
    where T : Credential
{
    private readonly Lock _gate = new();   // nobody waits in it: no call leaves the process
    private Pool? _current;
    private Pool? _before;
    private bool _isDisposed;

    public override string ConnectionString => connectionString;

    public override string Target => provider.Target;

    public override async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        T credential = await GetAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await PoolOf(credential).OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (IsRefusal(refused))
        {
            if (await AnotherAsync(credential, cancellationToken).ConfigureAwait(false) is not { } another)
                throw;
            return await PoolOf(another).OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override NpgsqlConnection Open()
    {
        T credential = Get();
        try
        {
            return PoolOf(credential).OpenConnection();
        }
        catch (PostgresException refused) when (IsRefusal(refused))
        {
            if (Blocking.Wait(AnotherAsync(credential, CancellationToken.None)) is not { } another)
                throw;
            return PoolOf(another).OpenConnection();
        }
    }

    public override NpgsqlConnection Create() => PoolOf(Get()).CreateConnection();

    public override void Dispose()
    {
        foreach (Pool pool in TakeAll())
            pool.Source.Dispose();
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (Pool pool in TakeAll())
            await pool.Source.DisposeAsync().ConfigureAwait(false);
    }

    // The login is unknown, its password wrong or late (28P01); or it may not log in (28000).
    private static bool IsRefusal(PostgresException refused) =>
        refused.SqlState is PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification;

    private ValueTask<T> GetAsync(CancellationToken cancellationToken) =>
        provider.TryGet(out T? credential) ? new ValueTask<T>(credential) : provider.GetAsync(cancellationToken);

    private T Get() => provider.TryGet(out T? credential) ? credential : Blocking.Wait(provider.GetAsync().AsTask());

    // Null: there is no other, and what the server said stands.
    private async Task<T?> AnotherAsync(T refused, CancellationToken cancellationToken)
    {
        provider.Reject(refused);
        try
        {
            T another = await GetAsync(cancellationToken).ConfigureAwait(false);
            return another == refused ? null : another;
        }
        catch (TokenExchangeException none) when (none.Code == ErrorCodes.CredentialRefused)
        {
            return null;
        }
    }

    private NpgsqlDataSource PoolOf(T credential)
    {
        NpgsqlDataSource? over;
        Pool pool;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(CredentialDataSource));
            // One who was preempted since he got his credential changes nothing back.
            if (_current?.Has(credential) == true)
                return _current.Source;
            if (_before?.Has(credential) == true)
                return _before.Source;
            string user = userOf(credential);
            if (_current?.User == user)
            {
                _current.Follow(credential);
                return _current.Source;
            }
            over = _before?.Source;
            pool = new Pool(user, credential, passwordOf, makePool);
            _before = _current;
            _current = pool;
            _before?.Source.Clear();
        }
        over?.Dispose();
        return pool.Source;
    }

    private List<Pool> TakeAll()
    {
        lock (_gate)
        {
            List<Pool> all = [.. new[] { _current, _before }.OfType<Pool>()];
            _isDisposed = true;
            _current = _before = null;
            return all;
        }
    }

    /// <summary>The connections of one user.</summary>
    private sealed class Pool
    {
        private T? _replaced;
        private T _credential;

        public Pool(string user, T credential, Func<T, string> passwordOf, Func<string, Func<string>, NpgsqlDataSource> makePool)
        {
            User = user;
            _credential = credential;
            Source = makePool(user, () => passwordOf(_credential));
        }

        public string User { get; }

        public NpgsqlDataSource Source { get; }

        public bool Has(T credential) => _credential == credential || _replaced == credential;

        /// <summary>Takes the user's new password: what the old one opened is closed, at once or when it comes back.</summary>
        public void Follow(T credential)
        {
            _replaced = _credential;
            _credential = credential;
            Source.Clear();
        }
    }
}
