namespace Nhi.TokenExchange.Soak;

/// <summary>One of the callers of a virtual job: asks for credentials, now and then uses one, gives up when its own deadline comes.</summary>
internal sealed class Caller(ChildRun run, string name, IReadOnlyDictionary<string, SoakProvider> providers, IReadOnlyDictionary<string, HttpClient> clients, HandOuts handOuts, int seed)
{
    // Beyond its deadline a call has this long; after that it counts as lost.
    private static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan UsePatience = TimeSpan.FromSeconds(6);

    private readonly Random _random = new(seed);

    /// <summary>Asks until the job ends.</summary>
    public async Task WorkAsync(CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            SoakTarget target = SoakTarget.All[_random.Next(SoakTarget.All.Count)];
            if (clients.TryGetValue(target.Name, out HttpClient? http) && _random.Next(10) == 0)
                await UseAsync(http, target.Name);
            else if (await AskAsync(target.Name) is { } credential && _random.Next(400) == 0 && target.Kind != ExchangeKind.VaultLogin)
                Reject(target.Name, credential);   // a login that was refused would take along what was got with it
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(5, run.Pause)), TimeProvider.System, ended);
            }
            catch (OperationCanceledException)
            {
                // The job ends.
            }
        }
    }

    /// <summary>One call. What comes of it is recorded.</summary>
    public async Task<Credential?> AskAsync(string target)
    {
        // Some are always in a hurry; in a storm all are.
        bool isHasty = _random.Next(50) == 0 || run.Plan.Open(ChaosFault.CancellationStorm, run.Time.Elapsed) is not null;
        TimeSpan patience = TimeSpan.FromMilliseconds(isHasty ? _random.Next(6) : _random.Next(1500, 6000));
        using var deadline = new CancellationTokenSource(patience);
        TimeSpan start = run.Time.Elapsed;
        run.Counts.Called();
        try
        {
            Task<Credential> asking = providers[target].Get(deadline.Token);
            Credential credential = await BoundedAsync(asking, target, start, start + patience);
            TimeSpan returned = run.Time.Elapsed;
            handOuts.Add(target, credential, start, returned);
            run.Counts.HandedOut();
            run.ReturnedAt(name, target, start, start + patience, returned);
            return credential;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            run.Counts.GaveUp();
            run.ReturnedAt(name, target, start, start + patience, run.Time.Elapsed);
        }
        catch (LostCallException)
        {
            run.Counts.Failed();
        }
        catch (Exception exception)   // whatever it is: the checker says whether it may be
        {
            run.Failed(new FailureRecord(name, target, start.Ticks, run.Time.Elapsed.Ticks, (exception as TokenExchangeException)?.Code ?? exception.GetType().Name), exception);
        }

        return null;
    }

    private void Reject(string target, Credential credential)
    {
        handOuts.Rejected(target, credential, run.Time.Elapsed);
        providers[target].Reject(credential);
    }

    private async Task UseAsync(HttpClient http, string target)
    {
        TimeSpan start = run.Time.Elapsed;
        TimeSpan until = start + UsePatience;
        using var deadline = new CancellationTokenSource(UsePatience);
        try
        {
            Task<HttpResponseMessage> asking = http.GetAsync(new Uri("api/datasets/orders/rows?count=1", UriKind.Relative), deadline.Token);
            using HttpResponseMessage rows = await BoundedAsync(asking, target, start, until);
            run.Counts.Used();
            run.ReturnedAt(name, target, start, until, run.Time.Elapsed);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            run.Counts.GaveUp();
            run.ReturnedAt(name, target, start, until, run.Time.Elapsed);
        }
        catch (LostCallException)
        {
            run.Counts.Failed();
        }
        catch (Exception exception)   // whatever it is: the checker says whether it may be
        {
            run.Failed(new FailureRecord(name, target, start.Ticks, run.Time.Elapsed.Ticks, (exception as TokenExchangeException)?.Code ?? exception.GetType().Name), exception);
        }
        finally
        {
            run.Used(new UseRecord(name, target, start.Ticks, run.Time.Elapsed.Ticks));
        }
    }

    // A call that never comes back must not keep the run from its end.
    private async Task<T> BoundedAsync<T>(Task<T> asking, string target, TimeSpan start, TimeSpan deadline)
    {
        try
        {
            return await asking.WaitAsync(deadline - start + LostAfter, TimeProvider.System);
        }
        catch (TimeoutException) when (!asking.IsCompleted)
        {
            // Recorded as lost; what it may still come to is nobody's any more, and no exception that the product left unobserved.
            _ = asking.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            run.Lost(new LateRecord(name, target, start.Ticks, deadline.Ticks, run.Time.Elapsed.Ticks, CameBack: false));
            throw new LostCallException();
        }
    }

    private sealed class LostCallException : Exception;
}
