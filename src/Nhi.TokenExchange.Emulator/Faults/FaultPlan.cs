namespace Nhi.TokenExchange;

/// <summary>What goes wrong, where and when. The same seed and the same numbers of requests give the same faults, whatever the threads do.</summary>
/// <remarks>Safe to use from any number of threads. Several planned faults can meet one request; the first that answers wins.</remarks>
public sealed class FaultPlan
{
    private readonly Lock _gate = new();
    private readonly List<Rule> _rules = [];
    private readonly List<(EmulatorEndpoint Endpoint, HeldRequest Held)> _holds = [];
    private readonly List<HeldRequest> _standing = [];
    private readonly List<AppliedFault> _applied = [];

    internal FaultPlan(int seed) => Seed = seed;

    /// <summary>The seed of <see cref="WithProbability"/>; print it with a failed test.</summary>
    public int Seed { get; }

    /// <summary>What was done so far, in order.</summary>
    public IReadOnlyList<AppliedFault> Applied
    {
        get
        {
            lock (_gate)
                return [.. _applied];
        }
    }

    /// <summary>The next requests to an endpoint meet the fault; each planned fault of this kind takes requests that no earlier one takes.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="fault">The fault.</param>
    /// <param name="times">How many requests; at least 1.</param>
    public void Next(EmulatorEndpoint endpoint, Fault fault, int times = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(times, 1);
        Add(new Rule(endpoint, fault) { Left = times });
    }

    /// <summary>The request with that number meets the fault.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="number">From 1, counted from the emulator's start.</param>
    /// <param name="fault">The fault.</param>
    public void At(EmulatorEndpoint endpoint, int number, Fault fault) => Add(new Rule(endpoint, fault) { Number = number });

    /// <summary>All requests to an endpoint meet the fault until <see cref="Clear"/>.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="fault">The fault.</param>
    public void Always(EmulatorEndpoint endpoint, Fault fault) => Add(new Rule(endpoint, fault) { Probability = 1 });

    /// <summary>Each request meets the fault with a probability, drawn from the seed and the request's number.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="probability">From 0 to 1.</param>
    /// <param name="fault">The fault.</param>
    public void WithProbability(EmulatorEndpoint endpoint, double probability, Fault fault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(probability, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        Add(new Rule(endpoint, fault) { Probability = probability });
    }

    /// <summary>The next request that is not held already stands still until released.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="point">Where it stands.</param>
    public HeldRequest HoldNext(EmulatorEndpoint endpoint, HoldPoint point = HoldPoint.BeforeWork)
    {
        var held = new HeldRequest(point);
        lock (_gate)
            _holds.Add((endpoint, held));
        return held;
    }

    /// <summary>Forgets all plans and lets all held requests go on.</summary>
    public void Clear()
    {
        HeldRequest[] held;
        lock (_gate)
        {
            held = [.. _standing, .. _holds.Select(hold => hold.Held)];
            _rules.Clear();
            _holds.Clear();
            _standing.Clear();
        }

        foreach (HeldRequest one in held)
            one.Release();
    }

    /// <summary>What the request with that number meets.</summary>
    internal IReadOnlyList<Fault> For(EmulatorEndpoint endpoint, int number)
    {
        lock (_gate)
        {
            List<Fault> faults = [];
            bool queued = false;
            for (int index = 0; index < _rules.Count; index++)
            {
                Rule rule = _rules[index];
                if (rule.Endpoint != endpoint || !(rule.Number == number || Drawn(rule, index, number) || (rule.Left > 0 && !queued)))
                    continue;
                if (rule.Left > 0)
                {
                    queued = true;
                    rule.Left--;
                }

                faults.Add(rule.Fault);
                _applied.Add(new AppliedFault(endpoint, number, rule.Fault.Name));
            }

            return faults;
        }
    }

    internal HeldRequest? TakeHold(EmulatorEndpoint endpoint)
    {
        lock (_gate)
        {
            int place = _holds.FindIndex(hold => hold.Endpoint == endpoint);
            if (place < 0)
                return null;
            HeldRequest held = _holds[place].Held;
            _holds.RemoveAt(place);
            _standing.Add(held);
            return held;
        }
    }

    private bool Drawn(Rule rule, int index, int number) =>
        rule.Probability > 0 && SeededDraw.Unit(Seed, (int)rule.Endpoint, index, number) < rule.Probability;

    private void Add(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule.Fault);
        lock (_gate)
            _rules.Add(rule);
    }

    private sealed class Rule(EmulatorEndpoint endpoint, Fault fault)
    {
        public EmulatorEndpoint Endpoint => endpoint;

        public Fault Fault => fault;

        public int Left { get; set; }

        public int? Number { get; init; }

        public double Probability { get; init; }
    }
}
