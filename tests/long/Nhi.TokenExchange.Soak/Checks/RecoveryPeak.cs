namespace Nhi.TokenExchange.Soak;

/// <summary>How full the fullest second is after a token endpoint's recovery: jobs must not come all at once then.</summary>
internal static class RecoveryPeak
{
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(10);

    /// <summary>As a multiple of the endpoint's mean and its deviation, the root of it, and after which fault; null in a run that is too short to have one, or in which no token endpoint had to recover.</summary>
    public static (double Times, Chaos After)? Of(Evidence evidence)
    {
        if (!evidence.Options.IsLong)
            return null;
        var asked = new AskingTimes(evidence);
        (double Times, Chaos After)? peak = null;
        foreach (IGrouping<ChaosPlace, Issue> atEndpoint in evidence.Issues.GroupBy(issue => issue.Target.TokenEndpoint))
        {
            (long At, double Weight)[] arrivals = [.. atEndpoint.OrderBy(issue => issue.IssuedAt).Select(issue => (issue.IssuedAt, 1 / (1 + StoodBefore(evidence, asked.Of(issue)).TotalSeconds)))];
            double mean = arrivals.Length / Math.Max(1, TimeSpan.FromTicks(arrivals[^1].At - arrivals[0].At).TotalSeconds);
            // Chance alone makes one second fuller than another.
            double usual = mean + Math.Sqrt(mean);
            foreach (Chaos window in evidence.Chaos.Where(window => window.Fault.AtIssuer is not null && window.Place == atEndpoint.Key))
            {
                double times = FullestSecond(arrivals, window.End.Ticks, Math.Min((window.End + Watched).Ticks, AllComeAnewFrom(evidence, window.End.Ticks))) / usual;
                if (peak is not { } fullest || times > fullest.Times)
                    peak = (times, window);
            }
        }

        return peak;
    }

    // New rules, and a clock that is set, end what all jobs hold in one instant: who comes then comes for that, whatever had recovered before.
    private static long AllComeAnewFrom(Evidence evidence, long from) => evidence.Policies.Select(policy => policy.Changing)
        .Concat(evidence.Chaos.Where(window => window.Place == ChaosPlace.Clock).SelectMany(window => new[] { window.At.Ticks, window.End.Ticks }))
        .Where(at => at >= from).DefaultIfEmpty(long.MaxValue).Min();

    // Any second, not one of the clock's: a herd that comes about a full second is one herd.
    private static double FullestSecond((long At, double Weight)[] arrivals, long from, long to)
    {
        double fullest = 0;
        double within = 0;
        var second = new Queue<(long At, double Weight)>();
        foreach ((long At, double Weight) arrival in arrivals.Where(arrival => arrival.At >= from && arrival.At < to))
        {
            second.Enqueue(arrival);
            within += arrival.Weight;
            while (second.Peek().At <= arrival.At - TimeSpan.TicksPerSecond)
                within -= second.Dequeue().Weight;
            fullest = Math.Max(fullest, within);
        }

        return fullest;
    }

    // What would have come while the machine stood still comes in the second after that, beside what comes anyway. What was asked for before that, and made it stand still, counts whole.
    private static TimeSpan StoodBefore(Evidence evidence, long? asked) => asked is not { } at ? TimeSpan.Zero
        : TimeSpan.FromTicks(evidence.Stalls.Where(stall => stall.To <= at && stall.To > at - TimeSpan.TicksPerSecond).Sum(stall => stall.To - stall.From));
}
