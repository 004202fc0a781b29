using System.Runtime.InteropServices;

namespace Nhi.TokenExchange;

/// <summary>Hands the targets of a running job to programs that can't exchange tokens, by the protocols that they speak already; and ends what a program got when the program ends.</summary>
/// <remarks>
/// Each request goes through the job's provider of its target, so policy, limits, audit and end are those of the job; each client gets credentials of its own. It listens on a Unix socket that its own user alone may use, or on 127.0.0.1, and nowhere
/// else. Safe to use from any number of threads. Dispose it before the job.
/// </remarks>
public sealed class TokenBroker : IAsyncDisposable
{
    private const int LongestName = 100;

    private readonly BrokerPlan _plan;
    private readonly BrokerFolder _folder;
    private readonly BrokerHost _host;
    private readonly RefusalRecord _refusals;
    private readonly Lock _gate = new();
    private readonly Lazy<Task> _stopping;
    private PosixSignalRegistration[] _signals = [];
    private CancellationTokenRegistration _ended;
    private BrokerClient? _ofJob;
    private string _why = "it was disposed";

    private TokenBroker(BrokerPlan plan, BrokerFolder folder, BrokerHost host, Callers callers, RefusalRecord refusals)
    {
        _plan = plan;
        _folder = folder;
        _host = host;
        Callers = callers;
        _refusals = refusals;
        _stopping = new Lazy<Task>(() => Task.Run(StopAsync));
    }

    /// <summary>The broker's address: the issuer of its OAuth endpoints. Behind a Unix socket <c>http://localhost/</c>, which is what the <c>Host</c> header has to say there.</summary>
    public Uri Address => _host.Address;

    /// <summary>The Unix socket that it listens on; null: it listens on <see cref="Address"/>.</summary>
    public string? SocketPath => _host.SocketPath;

    /// <summary>The variables by which programs find the broker, as one client named <c>job</c>, which ends with the broker. For programs that are to end apart: <see cref="Admit"/>.</summary>
    public IReadOnlyDictionary<string, string> Environment
    {
        get
        {
            lock (_gate)
                return (_ofJob ??= Admit("job")).Environment;
        }
    }

    internal Callers Callers { get; }

    /// <summary>Starts a broker for the targets of a job.</summary>
    /// <param name="session">The job. The broker ends with it.</param>
    /// <param name="configure">Says which targets are handed out, by which protocols, and where it listens.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="TokenExchangeException">An option is wrong (NHI1001), a target is not there (NHI1003) or gives another kind (NHI1004), or the folder is not safe (NHI1007).</exception>
    public static async Task<TokenBroker> StartAsync(JobSession session, Action<TokenBrokerOptions> configure, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new TokenBrokerOptions();
        configure(options);
        var plan = BrokerPlan.Freeze(session, options);
        var folder = BrokerFolder.Open(plan.Folder);
        var callers = new Callers(plan);
        var refusals = new RefusalRecord(session, plan.Logger, plan.Time);
        try
        {
            string? socket = plan.LoopbackPort is null ? folder.ClaimSocket() : null;
            var desk = new RequestDesk(plan, callers, refusals);
            BrokerHost host = await BrokerHost.StartAsync(plan, socket, desk.HandleAsync, refusals, callers.Left, cancellationToken).ConfigureAwait(false);
            var broker = new TokenBroker(plan, folder, host, callers, refusals);
            broker.Begin();
            return broker;
        }
        catch
        {
            await callers.DisposeAsync().ConfigureAwait(false);
            await refusals.EndAsync().ConfigureAwait(false);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Lets one more program in, with a token and credentials of its own.</summary>
    /// <param name="name">What a policy knows it by (<c>caller</c>), such as <c>psql</c>: a line of text, at most 100 characters. Not secret.</param>
    /// <returns>What its environment needs; disposed, it ends what the program got.</returns>
    /// <exception cref="ArgumentException">The name is blank, longer, or has control or invisible characters in it.</exception>
    /// <exception cref="InvalidOperationException">There are as many clients as <see cref="TokenBrokerOptions.MaxClients"/> allows, or the broker has stopped.</exception>
    /// <exception cref="IOException">Its files can't be written: the disk is full, perhaps.</exception>
    public BrokerClient Admit(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (string.IsNullOrWhiteSpace(name) || ExceptionText.Clean(name, LongestName) != name)
            throw new ArgumentException($"'{ExceptionText.Clean(name, LongestName)}' names no client: rules and logs know it by that. Give a line of at most {LongestName} characters, none of them control, invisible or surrogate, such as psql.", nameof(name));
        (CallerToken token, Caller caller) = Callers.Admit(name);
        string? file = null;
        try
        {
            file = _folder.WriteToken(token);
            return new BrokerClient(this, caller, _folder, ClientEnvironment.Of(_plan, _host, _folder, token.Text, file));
        }
        catch
        {
            if (file is not null)
                _folder.Remove(file);
            _ = Callers.EndAsync(caller, "its files could not be written");   // it does not throw
            throw;
        }
    }

    /// <summary>Stops accepting, lets requests finish within <see cref="TokenBrokerOptions.DrainWithin"/>, ends what clients got, and then the job.</summary>
    /// <param name="cancellationToken">Stops waiting; the draining goes on.</param>
    /// <returns>How the job's credentials ended.</returns>
    public async Task<JobReport> DrainAsync(CancellationToken cancellationToken = default)
    {
        await _stopping.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await _plan.Session.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="DrainAsync"/>, but for the job, which goes on.</summary>
    public async ValueTask DisposeAsync() => await _stopping.Value.ConfigureAwait(false);

    private void Begin()
    {
        _plan.Logger.BrokerStarted(SocketPath ?? Address.AbsoluteUri, string.Join(", ", _plan.Targets));
        _ended = _plan.Session.Ended.Register(() =>
        {
            _why = "the job ended";
            _ = _refusals.TellAsync();   // while the audit takes it still
            _ = _stopping.Value;
        });
        if (_plan.EndOnSignals)
            _signals = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    // Runs on a thread of its own; the default action follows when it returns. Nothing is cancelled: a host that handles the signal still does.
    private void OnSignal(PosixSignalContext context)
    {
        _why = $"{context.Signal}";
        Blocking.Wait(DrainAsync());
    }

    private async Task StopAsync()
    {
        using (var limit = new CancellationTokenSource(_plan.DrainWithin, _plan.Time))
            await _host.StopAsync(limit.Token).ConfigureAwait(false);
        await Callers.DisposeAsync().ConfigureAwait(false);
        await _host.DisposeAsync().ConfigureAwait(false);
        if (!await _folder.IsRemovedAsync().ConfigureAwait(false))
            _plan.Logger.FilesLeft(_folder.Location);
        foreach (PosixSignalRegistration signal in _signals)
            signal.Dispose();
        await _ended.DisposeAsync().ConfigureAwait(false);
        await _refusals.EndAsync().ConfigureAwait(false);
        _plan.Logger.BrokerStopped(_why);
        _plan.Logger.SayNoMore();
    }
}
