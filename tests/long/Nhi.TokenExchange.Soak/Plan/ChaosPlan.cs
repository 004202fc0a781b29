namespace Nhi.TokenExchange.Soak;

/// <summary>One fault at one place for one time.</summary>
internal sealed record Chaos(TimeSpan At, TimeSpan End, ChaosFault Fault, ChaosPlace Place)
{
    public override string ToString() => FormattableString.Invariant($"{At.TotalSeconds:0.00} to {End.TotalSeconds:0.00} s: {Fault.Id} at {Place}");
}

/// <summary>What goes wrong in a run: one fault after the other, at most 30 % of the time, none at the end, and each at least once. The same seed and the same length give the same plan, in both processes.</summary>
internal sealed class ChaosPlan
{
    private const double MostShare = 0.3;

    private ChaosPlan(IReadOnlyList<Chaos> windows) => Windows = windows;

    /// <summary>Nothing goes wrong.</summary>
    public static ChaosPlan None { get; } = new([]);

    public IReadOnlyList<Chaos> Windows { get; }

    /// <param name="options">The seed and the length.</param>
    /// <param name="start">When the jobs begin.</param>
    public static ChaosPlan Of(SoakOptions options, TimeSpan start)
    {
        if (!options.Faults)
            return None;
        var random = new Random(options.Seed);
        ChaosFault[] faults = [.. ChaosFault.All.Where(fault => options.OnlyFault is null || fault.Id == options.OnlyFault)];
        double length = options.Seconds;
        double first = length / 12;
        double last = length - options.CalmSeconds;
        // Each fault at least once, also in a short run; from two to six seconds in a long one.
        double budget = MostShare * length * 0.95;
        double usual = Math.Min(0.95 * budget / faults.Length, 4);
        int count = Math.Max(1, (int)Math.Round(0.95 * budget / usual));
        double pause = ((last - first) - budget) / count;
        var drawn = new List<(double Pause, double Duration, ChaosFault Fault, ChaosPlace Place)>();
        var deck = new Queue<ChaosFault>();
        while (drawn.Count < count)
        {
            if (deck.Count == 0)
                deck = new Queue<ChaosFault>(faults.OrderBy(_ => random.Next()).ToArray());
            ChaosFault fault = deck.Dequeue();
            double before = pause * (0.5 + random.NextDouble()) * 0.9;
            double duration = usual * (0.6 + (0.7 * random.NextDouble()));
            drawn.Add((before, duration, fault, fault.Places[random.Next(fault.Places.Count)]));
        }

        // Where chance made them longer together than there is time, each is shorter: none is left out.
        double spent = drawn.Sum(one => one.Duration);
        double scale = Math.Min(1, Math.Min(budget / spent, (last - first) / (spent + drawn.Sum(one => one.Pause))));
        var windows = new List<Chaos>();
        double at = first;
        foreach ((double before, double duration, ChaosFault fault, ChaosPlace place) in drawn)
        {
            at += before * scale;
            windows.Add(new Chaos(start + TimeSpan.FromSeconds(at), start + TimeSpan.FromSeconds(at + (duration * scale)), fault, place));
            at += duration * scale;
        }

        return new ChaosPlan(windows);
    }

    /// <summary>The window of that fault that is open.</summary>
    public Chaos? Open(ChaosFault fault, TimeSpan now) => Windows.FirstOrDefault(window => window.Fault == fault && now >= window.At && now < window.End);
}
