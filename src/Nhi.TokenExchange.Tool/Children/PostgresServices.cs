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
    private readonly CancellationTokenSource _over = new();
    private DatabaseLogin[] _written = [];
    private Task _watching = Task.CompletedTask;

    private PostgresServices(HelperFolder folder, IReadOnlyList<PostgresService> services, Action<string> warn)
    {
        _folder = folder;
        _services = services;
        _warn = warn;
    }

    /// <summary>Gets the logins, and writes the files.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="services">The targets; may be none.</param>
    /// <param name="warn">Is told when a login could not be renewed.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TokenExchangeException">There is no login.</exception>
    public static async Task<PostgresServices> OpenAsync(HelperFolder folder, IReadOnlyList<PostgresService> services, Action<string> warn, CancellationToken cancellationToken)
    {
        var opened = new PostgresServices(folder, services, warn);
        if (services.Count == 0)
            return opened;
        await opened.WriteAsync(cancellationToken).ConfigureAwait(false);
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
        using var timer = new PeriodicTimer(BetweenLooks, TimeProvider.System);
        bool isTold = false;
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false))
            {
                try
                {
                    await WriteAsync(_over.Token).ConfigureAwait(false);
                    isTold = false;
                }
                catch (Exception failed) when (failed is TokenExchangeException or IOException or UnauthorizedAccessException)
                {
                    // Once: it is tried again, and the next may do.
                    if (!isTold)
                        _warn($"A login of PostgreSQL is not renewed: {(failed as TokenExchangeException)?.Message ?? failed.GetType().Name}");
                    isTold = true;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The program has ended.
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var logins = new DatabaseLogin[_services.Count];
        for (int i = 0; i < logins.Length; i++)
            logins[i] = await _services[i].GetAsync(cancellationToken).ConfigureAwait(false);
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
