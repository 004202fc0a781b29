using System.Collections.Concurrent;

namespace Nhi.TokenExchange;

/// <summary>Starts sessions of one composition, a session for each job: for schedulers and queue workers, where one process runs many jobs.</summary>
/// <remarks>
/// <c>AddTokenExchange</c> registers it. Each session has its own credentials and ends them at its own end, so dispose it when its job is done; what
/// still runs when the host stops is ended then. Identity sources and exchangers are shared and belong to the factory, which the container owns.
/// Safe to use from any number of threads.
/// </remarks>
public sealed class JobSessionFactory : IAsyncDisposable, IDisposable
{
    // Never disposed: it has no timer, and a late StartAsync may still look at it.
#pragma warning disable CA2213
    private readonly CancellationTokenSource _ended = new();
#pragma warning restore CA2213
    private readonly ConcurrentDictionary<JobSession, bool> _running = new();
    private readonly SessionPlan _plan;
    private readonly Lazy<Task> _end;

    internal JobSessionFactory(SessionPlan plan)
    {
        _plan = plan;
        _end = new Lazy<Task>(() => Task.Run(EndAsync));
    }

    /// <summary>Starts the session of a job. Sends nothing.</summary>
    /// <param name="job">Which job this is. What it leaves unsaid is as in the composition; its environment can't be another than the composition's.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <returns>A session that the caller disposes at the job's end.</returns>
    /// <exception cref="TokenExchangeException">The job names another environment, or the factory has ended with its host.</exception>
    public Task<JobSession> StartAsync(JobContext job, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(job);
        cancellationToken.ThrowIfCancellationRequested();
        // The composition was checked for its own environment: a person's proof is let in by no other way than saying Development there.
        if (job.Environment is { } environment && !string.Equals(environment, _plan.Job.Environment, StringComparison.OrdinalIgnoreCase))
        {
            throw new TokenExchangeException(
                ErrorCodes.InvalidConfiguration, ExchangeStage.Configure,
                $"The job is said to run in '{ExceptionText.Clean(environment)}'; the composition says {(_plan.Job.Environment is { } composed ? $"'{ExceptionText.Clean(composed)}'" : "nothing of an environment")}.")
            {
                Hint = "Say the environment where the composition says its Job, and leave it out here.",
            };
        }
        return Task.FromResult(Start(job.Over(_plan.Job)));
    }

    /// <summary>The session of the host itself.</summary>
    internal JobSession StartHostJob() => Start(_plan.Job);

    /// <summary>Ends all sessions that still run, in parallel, each within its own deadline, and then what they share.</summary>
    internal Task EndAllAsync() => _end.Value;

    /// <summary>Ends what still runs. The container calls it; nobody else need.</summary>
    public async ValueTask DisposeAsync() => await EndAllAsync().ConfigureAwait(false);

    /// <summary>As <see cref="DisposeAsync"/>, blocking its caller.</summary>
    public void Dispose() => Blocking.Wait(EndAllAsync());

    // Added, then looked whether it has ended; EndAsync marks, then takes all keys, under the locks that TryAdd takes: one of the two sees the other.
    private JobSession Start(JobContext job)
    {
        if (_ended.IsCancellationRequested)
            throw Ended();
        JobSession session = JobSession.Start(_plan with { Job = job, Owned = [] });
        _running.TryAdd(session, true);
        _ = ForgetWhenReleasedAsync(session);
        if (!_ended.IsCancellationRequested)
            return session;
        _ = session.CompleteAsync();   // it holds nothing yet
        throw Ended();
    }

    private async Task ForgetWhenReleasedAsync(JobSession session)
    {
        await session.Released.ConfigureAwait(false);
        _running.TryRemove(session, out _);
    }

    private async Task EndAsync()
    {
        await _ended.CancelAsync().ConfigureAwait(false);
        JobSession[] sessions = [.. _running.Keys];
        await Task.WhenAll(sessions.Select(session => session.EndInOrderAsync(EndCause.HostStopped))).ConfigureAwait(false);
        Task released = ReleaseAsync(sessions);
        // A flight that ignores its cancellation is left behind with what it uses; the host need not wait for it.
        if (!sessions.All(session => session.Released.IsCompleted))
            return;
        try
        {
            await released.WaitAsync(_plan.EndWithin, _plan.Time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // A plug-in that does not come to its end must not keep the host from its own.
        }
    }

    private async Task ReleaseAsync(JobSession[] sessions)
    {
        await Task.WhenAll(sessions.Select(session => session.Released)).ConfigureAwait(false);
        await _plan.DisposeOwnedAsync().ConfigureAwait(false);
    }

    private static TokenExchangeException Ended() =>
        new(ErrorCodes.JobEnded, ExchangeStage.JobEnded, "The host has stopped; no session is started any more.") { Hint = "Start sessions while the host runs." };
}
