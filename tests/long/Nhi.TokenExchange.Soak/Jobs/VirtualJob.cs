namespace Nhi.TokenExchange.Soak;

/// <summary>One job from its start to its end, with eight callers.</summary>
internal static class VirtualJob
{
    private const int Callers = 8;

    public static async Task RunAsync(ChildRun run, string name, TimeSpan life, int seed)
    {
        TimeSpan started = run.Time.Elapsed;
        await using JobSession session = await run.Composition.StartAsync(name);
        var handOuts = new HandOuts(name);
        Dictionary<string, CredentialProvider<BearerToken>> providers = SoakTarget.All.ToDictionary(target => target.Name, target => run.ProviderOf(session, target.Name));
        Dictionary<string, HttpClient> clients = SoakTarget.All.Where(target => target.Kind is ExchangeKind.Rfc8693 or ExchangeKind.Databricks)
            .ToDictionary(target => target.Name, target => new HttpClient(session.CreateHandler(target.Name)) { BaseAddress = run.Orders.Warehouse });
        Caller[] callers = [.. Enumerable.Range(0, Callers).Select(number => new Caller(run, name, providers, clients, handOuts, seed + number))];
        using (var ended = new CancellationTokenSource())
        {
            Task[] working = [.. callers.Select(caller => Task.Run(() => caller.WorkAsync(ended.Token)))];
            await run.Time.UntilAsync(started + life < run.End ? started + life : run.End);
            // Some jobs end in the midst of their callers' calls, as jobs do.
            Task before = seed % 3 == 0 ? Task.CompletedTask : Task.WhenAll(working);
            await ended.CancelAsync();
            await before;
            TimeSpan completing = run.Time.Elapsed;
            JobReport report = await session.CompleteAsync();
            TimeSpan completed = run.Time.Elapsed;
            await Task.WhenAll(working);
            run.Completed(new JobRecord(
                name, started.Ticks, completing.Ticks, completed.Ticks, report.FlightsInTheAir,
                [.. run.LeasesOf(report).Select(lease => new LeaseEntry(lease.Target, lease.Fingerprint, lease.End, lease.DiesAt))]), report);
        }

        // Nothing may come of a call after the end.
        foreach (SoakTarget target in SoakTarget.All.Take(4))
            await callers[0].AskAsync(target.Name);
        foreach (HttpClient client in clients.Values)
            client.Dispose();
        handOuts.WriteTo(run.HandOuts);
    }
}
