using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;

namespace Nhi.TokenExchange;

/// <summary>The callers of a broker: those that were given a token, and processes that the kernel names. Looks twice a second which of their processes are gone, and ends what those held.</summary>
internal sealed class Callers : IAsyncDisposable
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    // A program is started and bound by then, or its client is none that is ever bound.
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(30);

    private readonly BrokerPlan _plan;

    // A job may have several brokers, beside each other and one after the other: no two callers of it are the same.
    private readonly string _broker = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<UInt128, (CallerToken Token, Caller Caller)> _admitted = [];
    private readonly Dictionary<RunningProcess, Caller> _processes = [];
    private readonly CancellationTokenSource _over = new();
    private readonly Task _watching;
    private long _numbers;
    private bool _isOver;

    public Callers(BrokerPlan plan)
    {
        _plan = plan;
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>Gives a caller a token.</summary>
    /// <exception cref="InvalidOperationException">There are as many as the options allow, or the broker has stopped.</exception>
    public (CallerToken Token, Caller Caller) Admit(string name)
    {
        lock (_gate)
        {
            if (_isOver)
                throw new InvalidOperationException("The broker has stopped.");
            if (_admitted.Count >= _plan.MaxClients)
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"There are {_plan.MaxClients} clients, as many as TokenBrokerOptions.MaxClients allows."));
            var token = CallerToken.New();
            var caller = new Caller(new CredentialCaller(string.Create(CultureInfo.InvariantCulture, $"client {_broker}-{++_numbers}"), name, userId: Peer.CurrentUser), _plan) { Selector = token.Selector };
            return _admitted[token.Selector] = (token, caller);
        }
    }

    /// <summary>Whose token that is; null: nobody's.</summary>
    public Caller? ByToken(string presented)
    {
        byte[] hash = CallerToken.Hash(presented);
        return _admitted.TryGetValue(CallerToken.SelectorOf(hash), out (CallerToken Token, Caller Caller) found) && found.Token.Matches(hash) ? found.Caller : null;
    }

    /// <summary>The caller that is that process.</summary>
    /// <exception cref="BrokerRefusal">There are too many, or the broker stops.</exception>
    public Caller OfProcess(RunningProcess process)
    {
        lock (_gate)
        {
            if (_processes.TryGetValue(process, out Caller? known))
                return known;
            if (_isOver)
                throw new BrokerRefusal(RefusalKind.Unavailable, "the broker stops");
            if (_processes.Count >= _plan.MaxClients)
                throw new BrokerRefusal(RefusalKind.TooMany, string.Create(CultureInfo.InvariantCulture, $"{_plan.MaxClients} processes hold credentials, as many as may")) { RetryAfter = TimeSpan.FromSeconds(1) };
            var identity = new CredentialCaller(string.Create(CultureInfo.InvariantCulture, $"process {process.Id} started {process.Started} at {_broker}"), "process", process.Id, Peer.CurrentUser);
            return _processes[process] = new Caller(identity, _plan) { Process = process };
        }
    }

    /// <summary>The client that is bound to that process, or to one that it descends from.</summary>
    /// <exception cref="BrokerRefusal">There is none.</exception>
    public Caller OfBound(RunningProcess process)
    {
        Caller[] bound = [.. _admitted.Select(one => one.Value.Caller)];
        foreach (RunningProcess ancestor in process.Line())
        {
            if (Array.Find(bound, caller => caller.Process == ancestor) is { } found)
                return found;
        }
        // One that was started just now is bound in a moment.
        throw Array.Exists(bound, caller => caller.Process is null && caller.Age < LongestStart)
            ? new BrokerRefusal(RefusalKind.Unavailable, "no client is bound to this process yet") { RetryAfter = TimeSpan.FromSeconds(1) }
            : new BrokerRefusal(RefusalKind.Forbidden, "this process is none of a client's, nor does it descend from one");
    }

    /// <summary>The caller that is that process, if it asked as such before.</summary>
    public Caller? KnownProcess(RunningProcess process)
    {
        lock (_gate)
            return _processes.GetValueOrDefault(process);
    }

    /// <summary>Ends what a caller holds; it gets nothing any more.</summary>
    /// <returns>Completes when that is done, whoever began it. It does not fail.</returns>
    public Task EndAsync(Caller caller, string why)
    {
        lock (_gate)
        {
            if (caller.Selector is { } selector)
                _admitted.TryRemove(selector, out _);
            if (caller.Process is { } process && _processes.GetValueOrDefault(process) == caller)
                _processes.Remove(process);
        }
        if (caller.Leave(why) is { } held)
            _ = EndAsync(caller, held, why);
        return caller.Ended;
    }

    /// <summary>Ends what exchanges brought that began beside the caller's end, and were not to be found by it.</summary>
    public async Task EndLateAsync(Caller caller)
    {
        await caller.Ended.ConfigureAwait(false);
        await EndHeldAsync(caller, caller.TakeLate(), caller.Why).ConfigureAwait(false);
    }

    /// <summary>Ends one credential of a caller.</summary>
    public async Task EndCredentialAsync(Caller caller, Credential credential, string why)
    {
        caller.Release(credential);
        try
        {
            LeaseEnd end = await _plan.Session.RevokeCredentialAsync(credential, $"{caller.Identity}: {why}").ConfigureAwait(false);
            if (end == LeaseEnd.Failed)
                _plan.Logger.NotEnded(credential.Fingerprint, caller.Identity, end.ToString());
        }
        catch (Exception failed)   // whoever is gone waits for nobody; the job's end finds what is left
        {
            _plan.Logger.NotEnded(credential.Fingerprint, caller.Identity, failed.GetType().Name);
        }
    }

    private async Task EndAsync(Caller caller, IReadOnlyList<Credential> held, string why)
    {
        try
        {
            Task ending = EndHeldAsync(caller, held, why);   // first: nothing else keeps it waiting
            Task told = caller.TellAsync();
            _plan.Logger.CallerGone(caller.Identity, why, held.Count);
            await ending.ConfigureAwait(false);
            await told.ConfigureAwait(false);
        }
        finally
        {
            caller.Dispose();
        }
    }

    private async Task EndHeldAsync(Caller caller, IReadOnlyList<Credential> held, string why)
    {
        IReadOnlyList<Credential> failed = await EndCredentialsAsync(caller, why).ConfigureAwait(false);
        // What the job's cache had no room for any more is known here alone.
        await Task.WhenAll(held.Except(failed).Where(_plan.Session.IsAlive).Select(credential => EndCredentialAsync(caller, credential, why))).ConfigureAwait(false);
    }

    // All that the job holds for it, what it has not got yet included. Returns what could not be ended.
    private async Task<IReadOnlyList<Credential>> EndCredentialsAsync(Caller caller, string why)
    {
        try
        {
            IReadOnlyList<Credential> failed = await _plan.Session.RevokeCallerAsync(caller.Identity, $"{caller.Identity}: {why}").ConfigureAwait(false);
            foreach (Credential credential in failed)
                _plan.Logger.NotEnded(credential.Fingerprint, caller.Identity, nameof(LeaseEnd.Failed));
            return failed;
        }
        catch (Exception fault)   // whoever is gone waits for nobody; the job's end finds what is left
        {
            _plan.Logger.BrokerFault(fault.GetType().Name);
            return [];
        }
    }

    /// <summary>A connection of that process ended: with it, perhaps, the process.</summary>
    public void Left(RunningProcess process)
    {
        Caller? caller;
        lock (_gate)
            caller = _processes.GetValueOrDefault(process);
        if (caller is not null)
            _ = EndIfGoneAsync(caller);
    }

    public async ValueTask DisposeAsync()
    {
        Caller[] all;
        lock (_gate)
        {
            _isOver = true;
            all = [.. _processes.Values, .. _admitted.Values.Select(one => one.Caller)];
        }
        await _over.CancelAsync().ConfigureAwait(false);
        await _watching.ConfigureAwait(false);
        await Task.WhenAll(all.Select(caller => EndAsync(caller, "the broker stopped"))).ConfigureAwait(false);
        _over.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(BetweenLooks, _plan.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_over.Token).ConfigureAwait(false))
                Look();
        }
        catch (OperationCanceledException)
        {
            // The broker stops.
        }
    }

    private void Look()
    {
        Caller[] watched;
        lock (_gate)
            watched = [.. _processes.Values];
        foreach (Caller caller in watched.Concat(_admitted.Select(one => one.Value.Caller)))
            _ = EndIfGoneAsync(caller);   // it does not throw, and an issuer that is slow to end one keeps no other waiting
    }

    private Task EndIfGoneAsync(Caller caller) => caller.Process is { Runs: false } ? EndAsync(caller, "its process is gone") : Task.CompletedTask;
}
