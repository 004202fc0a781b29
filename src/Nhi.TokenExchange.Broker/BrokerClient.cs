namespace Nhi.TokenExchange;

/// <summary>One program that a broker lets in: what its environment needs, and the end of what it got.</summary>
public sealed class BrokerClient : IAsyncDisposable
{
    private readonly TokenBroker _broker;
    private readonly Caller _caller;
    private readonly BrokerFolder _folder;
    private readonly TaskCompletionSource _filesGone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal BrokerClient(TokenBroker broker, Caller caller, BrokerFolder folder, IReadOnlyDictionary<string, string> environment)
    {
        _broker = broker;
        _caller = caller;
        _folder = folder;
        Environment = environment;
        caller.Gone.Register(RemoveFilesApart);   // disposed or not
    }

    /// <summary>What it was let in as: what a policy knows it by (<c>caller</c>).</summary>
    public string Name => _caller.Identity.Name;

    /// <summary>The variables by which programs find the broker. Some hold the client's token: they are for its own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Sets <see cref="Environment"/> in the environment of a process that is about to be started; takes out what SDKs would rather use, such as <c>AWS_PROFILE</c>; and keeps proxies off the broker's address.</summary>
    /// <param name="environment">The environment, such as <see cref="System.Diagnostics.ProcessStartInfo.Environment"/>.</param>
    public void ApplyTo(IDictionary<string, string?> environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        ClientEnvironment.Apply(Environment, environment);
    }

    /// <summary>Ties the client to a process: when that is gone, killed or not, what the client got is ended within a second.</summary>
    /// <param name="processId">The process. If there is none of that number, the client ends now.</param>
    /// <exception cref="IOException">Whether there is one can't be told now: this process has no handle left, perhaps.</exception>
    public void BindTo(int processId)
    {
        if (RunningProcess.At(processId) is { } process)
            _caller.Process = process;
        else
            _ = DisposeAsync().AsTask();
    }

    /// <summary>Ends what the client got; its token is good for nothing any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _broker.Callers.EndAsync(_caller, "its client was disposed").ConfigureAwait(false);
        try
        {
            await _filesGone.Task.WaitAsync(BrokerFolder.Patience, TimeProvider.System).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Its disk hangs: they go when it comes back, or with the broker.
        }
    }

    // A disk that hangs holds no thread of the pool.
    private void RemoveFilesApart()
    {
        try
        {
            OwnThread.Run(RemoveFiles).Forget();
        }
        catch (TaskSchedulerException)   // no thread can be started: they go with the broker
        {
            _filesGone.TrySetResult();
        }
    }

    private void RemoveFiles()
    {
        foreach (string variable in new[] { ClientEnvironment.TokenFile, ClientEnvironment.GoogleFolder })
        {
            if (Environment.TryGetValue(variable, out string? own))
                _folder.Remove(own);
        }
        _filesGone.TrySetResult();
    }
}
