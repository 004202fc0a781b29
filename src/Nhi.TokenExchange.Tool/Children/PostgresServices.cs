using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Logins of PostgreSQL as libpq and what is built on it find them: a service file with a service for each target, and a password file. Pages: "The Connection Service File" and "The Password File" of PostgreSQL.</summary>
/// <remarks>They are rewritten, each in one step, when a login has a successor: who connects later finds that one. The one before is good until its own end.</remarks>
internal sealed class PostgresServices : IAsyncDisposable
{
    private const string ServiceFile = "pg_service.conf";
    private const string PasswordFile = "pgpass";

    // A refresh is due at half of a life, which is a minute at least.
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    // What libpq would take before the files, or beside them.
    private static readonly string[] InTheWay = ["PGPASSWORD", "PGHOSTADDR"];

    private readonly HelperFolder _folder;
    private readonly IReadOnlyList<PostgresService> _services;
    private readonly Action<string> _warn;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _over = new();
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private DatabaseLogin[] _written = [];
    private Task _watching = Task.CompletedTask;

    private PostgresServices(HelperFolder folder, IReadOnlyList<PostgresService> services, Action<string> warn, TimeProvider time)
    {
        _folder = folder;
        _services = services;
        _warn = warn;
        _time = time;
    }

    /// <summary>Gets the logins, and writes the files.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="services">The targets; may be none.</param>
    /// <param name="warn">Is told when a login could not be renewed.</param>
    /// <param name="time">The clock by which it is looked whether they have successors.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TokenExchangeException">There is no login.</exception>
    public static async Task<PostgresServices> OpenAsync(HelperFolder folder, IReadOnlyList<PostgresService> services, Action<string> warn, TimeProvider time, CancellationToken cancellationToken)
    {
        var opened = new PostgresServices(folder, services, warn, time);
        if (services.Count == 0)
            return opened;
        var logins = new DatabaseLogin[services.Count];
        for (int i = 0; i < logins.Length; i++)
            logins[i] = await services[i].GetAsync(cancellationToken).ConfigureAwait(false);
        opened.Write(logins);
        opened._watching = Task.Run(opened.WatchAsync, CancellationToken.None);
        return opened;
    }

    /// <summary>Sets the variables that lead to the files; the first target is the service that is used if none is named.</summary>
    public void Apply(IDictionary<string, string?> environment)
    {
        if (_services.Count == 0)
            return;
        foreach (string name in InTheWay)
            environment.Remove(name);
        environment["PGSERVICEFILE"] = Path.Combine(_folder.Path, ServiceFile);
        environment["PGPASSFILE"] = Path.Combine(_folder.Path, PasswordFile);
        environment["PGSERVICE"] = _services[0].Target;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        _over.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(BetweenLooks, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false))
                await RenewAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The program has ended.
        }
    }

    // One that fails keeps its last login, and no other waits for it.
    private async Task RenewAsync()
    {
        var logins = (DatabaseLogin[])_written.Clone();
        for (int i = 0; i < logins.Length; i++)
        {
            string target = _services[i].Target;
            try
            {
                logins[i] = await _services[i].GetAsync(_over.Token).ConfigureAwait(false);
                _told.Remove(target);
            }
            catch (TokenExchangeException failed)
            {
                WarnOnce(target, $"The login of '{target}' is not renewed: {failed.Message}");
            }
        }
        try
        {
            Write(logins);
            _told.Remove("");
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            WarnOnce("", $"Renewed logins of PostgreSQL can't be written: {failed.GetType().Name}");
        }
    }

    // It is tried again, and the next may do.
    private void WarnOnce(string of, string text)
    {
        if (_told.Add(of))
            _warn(text);
    }

    private void Write(DatabaseLogin[] logins)
    {
        if (logins.SequenceEqual(_written))
            return;
        var passwords = new StringBuilder();
        var services = new StringBuilder();
        foreach ((PostgresService service, DatabaseLogin login) in _services.Zip(logins))
        {
            service.AppendTo(services, login);
            service.AppendPasswordTo(passwords, login);
        }
        // Who reads between the two finds the password of each login that a service names, or an old service with a password that is there still.
        foreach ((PostgresService service, DatabaseLogin old) in _services.Zip(_written).Where(one => !logins.Contains(one.Second)))
            service.AppendPasswordTo(passwords, old);
        _folder.Write(PasswordFile, passwords.ToString());
        _folder.Write(ServiceFile, services.ToString());
        _written = logins;
    }
}
