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
    private readonly Lock _gate = new();   // nobody waits in it: no connection is closed there, no pool made, and of others' code only the provider looks
    private Pool? _current;
    private Pool? _before;
    private bool _isDisposed;

    public override string ConnectionString => connectionString;

    public override string Target => provider.Target;

    public override async ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        (T credential, NpgsqlDataSource source) = Choose(await GetAsync(cancellationToken).ConfigureAwait(false));
        try
        {
            return await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException refused) when (IsRefusal(refused))
        {
            if (await AnotherAsync(credential, cancellationToken).ConfigureAwait(false) is not { } another)
                throw;
            return await Choose(another).Source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException) when (IsOver(source))
        {
            return await OpenAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override NpgsqlConnection Open()
    {
        (T credential, NpgsqlDataSource source) = Choose(Get());
        try
        {
            return source.OpenConnection();
        }
        catch (PostgresException refused) when (IsRefusal(refused))
        {
            if (Blocking.Wait(AnotherAsync(credential, CancellationToken.None)) is not { } another)
                throw;
            return Choose(another).Source.OpenConnection();
        }
        catch (ObjectDisposedException) when (IsOver(source))
        {
            return Open();
        }
    }

    public override NpgsqlConnection Create() => Choose(Get()).Source.CreateConnection();

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

    /// <summary>Finds or makes the pool of a credential, or of the one that has taken its place since the caller got it.</summary>
    private (T Credential, NpgsqlDataSource Source) Choose(T credential)
    {
        Pool? chosen = null, made = null;
        try
        {
            while (true)
            {
                Pool? emptied, over;
                int changes;
                lock (_gate)
                {
                    (chosen, emptied, over) = Look(ref credential, made);
                    changes = emptied?.Changes ?? 0;
                }
                over?.Source.Dispose();
                if (emptied is not null)
                {
                    emptied.Source.Clear();
                    lock (_gate)
                        emptied.NoteEmptied(changes);
                }
                if (chosen is not null)
                    return (credential, chosen.Source);
                made?.Source.Dispose();   // its user is over
                made = new Pool(userOf(credential), credential, passwordOf, makePool);
            }
        }
        finally
        {
            if (made != chosen)
                made?.Source.Dispose();   // another caller was first, or this is disposed
        }
    }

    // What is chosen, what has to let go of its connections, what is over; none: a pool has to be made.
    private (Pool? Chosen, Pool? Emptied, Pool? Over) Look(ref T credential, Pool? made)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(CredentialDataSource));
        // One who was preempted since he got his credential changes nothing back.
        if (provider.TryGet(out T? held))
            credential = held;
        if (_current?.Has(credential) == true)
            return (_current, _current.IsEmptied ? null : _current, null);
        if (_before?.Has(credential) == true)
            return (_before, null, null);
        string user = userOf(credential);
        if (_current?.User == user)
        {
            _current.Follow(credential);
            return (_current, _current, null);
        }
        if (made?.User != user)
            return (null, null, null);
        made.Follow(credential);
        Pool? over = _before;
        (_before, _current) = (_current, made);
        return (made, _before, over);
    }

    // The credential changed twice between the choice and the opening.
    private bool IsOver(NpgsqlDataSource source)
    {
        lock (_gate)
            return !_isDisposed && _current?.Source != source && _before?.Source != source;
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
        private int _emptiedOf;

        public Pool(string user, T credential, Func<T, string> passwordOf, Func<string, Func<string>, NpgsqlDataSource> makePool)
        {
            User = user;
            _credential = credential;
            Source = makePool(user, () => passwordOf(_credential));
        }

        public string User { get; }

        public NpgsqlDataSource Source { get; }

        /// <summary>How often its user had a new password.</summary>
        public int Changes { get; private set; }

        /// <summary>Whether what former passwords opened is closed, or will be when it comes back. Until then each caller sees to it.</summary>
        public bool IsEmptied => _emptiedOf == Changes;

        public bool Has(T credential) => _credential == credential || _replaced == credential;

        /// <summary>Takes the user's new password.</summary>
        public void Follow(T credential)
        {
            if (_credential == credential)
                return;
            _replaced = _credential;
            _credential = credential;
            Changes++;
        }

        public void NoteEmptied(int changes) => _emptiedOf = Math.Max(_emptiedOf, changes);
    }
}
