using System.Globalization;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>A thousand callers at once: cold, after expiry, with the refresh due, and with the issuer down. Counts; nothing is timed, so the machine doesn't matter.</summary>
public static class StampedeRun
{
    private const int Callers = 1000;
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan QuietAfter = TimeSpan.FromMilliseconds(100);

    public static async Task<IReadOnlyList<StampedeResult>> RunAsync(Action<string> say)
    {
        ThreadPool.SetMinThreads(64, 64);
        var results = new List<StampedeResult>();
        foreach (Func<StampedePeer> create in StampedePeers.All)
        {
            foreach (StampedeMoment moment in Enum.GetValues<StampedeMoment>())
            {
                await using StampedePeer peer = create();
                if (await RunAsync(peer, moment) is { } result)
                {
                    results.Add(result);
                    say($"{result.Peer}, {result.Moment}: {string.Join(" + ", result.CallsOfWaves!)} calls, {result.Held} held, {result.Failed} failed");
                }
            }
        }
        return results;
    }

    public static string Table(IReadOnlyList<StampedeResult> results)
    {
        var table = new StringBuilder("| peer | cold: calls | after expiry: calls | refresh due: calls | held | down, cold, twice: calls | down, refresh due, twice: calls | failed | stays down: calls | failed |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        foreach (IGrouping<string, StampedeResult> peer in results.GroupBy(result => result.Peer))
        {
            StampedeResult? At(StampedeMoment moment) => peer.FirstOrDefault(result => result.Moment == moment);
            string Calls(StampedeMoment moment) => At(moment)?.Calls.ToString("N0", CultureInfo.InvariantCulture) ?? "";
            string Failed(StampedeMoment moment) => At(moment)?.Failed.ToString("N0", CultureInfo.InvariantCulture) ?? "";
            string due = At(StampedeMoment.RefreshDue) is { } there ? string.Create(CultureInfo.InvariantCulture, $"{there.Calls:N0} | {there.Held:N0}") : "no such notion | ";
            table.Append(CultureInfo.InvariantCulture, $"| {peer.Key} | {Calls(StampedeMoment.Cold)} | {Calls(StampedeMoment.Expired)} | {due} | {Calls(StampedeMoment.ColdAndDown)} ");
            foreach (StampedeMoment down in (StampedeMoment[])[StampedeMoment.RefreshDueAndDown, StampedeMoment.RefreshDueAndStaysDown])
                table.Append(CultureInfo.InvariantCulture, $"| {Calls(down)} | {Failed(down)} ");
            table.Append("|\n");
        }
        return table.ToString();
    }

    private static async Task<StampedeResult?> RunAsync(StampedePeer peer, StampedeMoment moment)
    {
        bool staysDown = moment == StampedeMoment.RefreshDueAndStaysDown;
        if ((staysDown && peer.Backoffs.Count == 0) || !await peer.PrepareAsync(moment))
            return null;
        if (!moment.IsCold())
        {
            await peer.CallAsync();
            await peer.ComeAsync(moment);
        }
        if (moment.IsDown())
            peer.Gate.TakeDown();
        // Who was served at once leaves an exchange in the air behind; who waited came back when its tries were over.
        TimeSpan quiet = QuietAfter + (moment.IsRefreshDue() && moment.IsDown() ? peer.LongestPause : TimeSpan.Zero);
        var waves = new List<(int Calls, int Held, int Failed)> { await WaveAsync(peer, quiet) };
        if (moment.IsDown())
            waves.Add(await WaveAsync(peer, quiet));
        foreach (TimeSpan backoff in staysDown ? peer.Backoffs : [])
        {
            peer.Pass(backoff);
            waves.Add(await WaveAsync(peer, quiet));   // one of them may try
            waves.Add(await WaveAsync(peer, quiet));   // within the next back-off: nobody
        }
        return new StampedeResult(peer.Name, moment, waves.Sum(wave => wave.Calls), waves.Sum(wave => wave.Held), waves.Sum(wave => wave.Failed), [.. waves.Select(wave => wave.Calls)]);
    }

    // A thousand before a shut gate. The gate is opened when all is quiet, and the calls are counted when all are back and their tries over:
    // who flies once more when the first flight has landed, counts too, and so does each try of it.
    private static async Task<(int Calls, int Held, int Failed)> WaveAsync(StampedePeer peer, TimeSpan quiet)
    {
        int before = peer.Gate.Calls;
        peer.Gate.Shut();
        Task[] callers = await StartAllAsync(peer);
        await QuietAsync(peer, callers, Quiet);
        int held = callers.Count(caller => !caller.IsCompleted);
        peer.Gate.Open();
        await Task.WhenAll(callers).ContinueWith(_ => { }, TaskScheduler.Default);
        await QuietAsync(peer, callers, quiet);
        return (peer.Gate.Calls - before, held, callers.Count(caller => !caller.IsCompletedSuccessfully));
    }

    private static async Task<Task[]> StartAllAsync(StampedePeer peer)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int entered = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(async _ =>
        {
            await start.Task;
            if (Interlocked.Increment(ref entered) == Callers)
                all.SetResult();
            await peer.CallAsync();
        })];
        start.SetResult();
        await all.Task;
        return callers;
    }

    // Quiet: for so long neither a caller came back nor a call reached the issuer.
    private static async Task QuietAsync(StampedePeer peer, Task[] callers, TimeSpan quiet)
    {
        (int Calls, int Done) seen = (-1, -1);
        while (true)
        {
            (int Calls, int Done) now = (peer.Gate.Calls, callers.Count(caller => caller.IsCompleted));
            if (now == seen)
                return;
            seen = now;
            await Task.Delay(quiet);
        }
    }
}
