namespace Nhi.TokenExchange.Soak;

/// <summary>One job from its start to its end, with eight callers.</summary>
internal static class VirtualJob
{
    private const int Callers = 8;

    private static readonly TimeSpan KillSwitchLooks = TimeSpan.FromSeconds(6);

    public static async Task RunAsync(ChildRun run, string name, TimeSpan life, int seed)
    {
        TimeSpan started = run.Time.Elapsed;
        TimeSpan until = started + life < run.End ? started + life : run.End;
        JobEnd end = JobPlan.EndOf(run.Orders.Options, name);
        // What needs a time of its own is not begun in the last seconds of the run.
        if ((end == JobEnd.MaxDuration && until < started + life) || (end == JobEnd.KillSwitch && until + KillSwitchLooks > run.End))
            end = JobEnd.Completed;
        await using RunningJob job = await RunningJob.StartAsync(run.Composition, name, end, life);
        JobSession session = job.Session;
        run.Began(session);
        var handOuts = new HandOuts(name);
        Dictionary<string, SoakProvider> providers = SoakTarget.All.ToDictionary(target => target.Name, target => run.ProviderOf(session, target));
        Dictionary<string, HttpClient> clients = SoakTarget.All.Where(target => target.Kind is ExchangeKind.Rfc8693 or ExchangeKind.Databricks)
            .ToDictionary(target => target.Name, target => run.ClientOf(session, target));
        Caller[] callers = [.. Enumerable.Range(0, Callers).Select(number => new Caller(run, name, providers, clients, handOuts, seed + number))];
        using (var ended = new CancellationTokenSource())
        {
            Task[] working = [.. callers.Select(caller => Task.Run(() => caller.WorkAsync(ended.Token)))];
            await run.Time.UntilAsync(until);
            // Callers know nothing of what comes from outside; and some jobs end in the midst of their callers' calls in any case, as jobs do.
            if (end is not (JobEnd.KillSwitch or JobEnd.MaxDuration))
                await ended.CancelAsync();
            if (end < JobEnd.Cancelled && seed % 3 != 0)
                await Task.WhenAll(working);
            TimeSpan completing = end == JobEnd.MaxDuration ? until : run.Time.Elapsed;
            JobReport report = await job.EndAsync(end);
            TimeSpan completed = run.Time.Elapsed;
            await ended.CancelAsync();
            await Task.WhenAll(working);
            run.Completed(new JobRecord(
                name, end, started.Ticks, completing.Ticks, completed.Ticks, report.FlightsInTheAir,
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
