using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange.Soak;

/// <summary>The process under test: runs all virtual jobs, and writes down what the checker has to know.</summary>
internal sealed class ChildRun : IDisposable
{
    /// <summary>Said when the first job is over; the answer is when the others begin, in ticks since the run's start.</summary>
    public const string Ready = "ready";

    private static readonly TimeSpan MostToLetGo = TimeSpan.FromMinutes(1);

    private readonly RecordFile _jobs;
    private readonly RecordFile _failures;
    private readonly RecordFile _late;
    private readonly RecordFile _uses;
    private readonly RecordFile _stalls;
    private readonly RecordFile _poolWaits;
    private readonly RecordFile _resources;
    private readonly RecordFile _policies;
    private readonly SaidFile _exceptions;
    private readonly AuditFile _audit;
    private readonly Heard _heard;
    private readonly PlantedBug? _bug;
    private readonly ConcurrentQueue<WeakReference> _sessions = new();

    private ChildRun(ChildOrders orders)
    {
        Orders = orders;
        Time = new SoakTime(orders.Wall, orders.Timestamp);
        _bug = orders.Options.Bug is { } bug ? PlantedBug.Named(bug) : null;
        _jobs = In("jobs.jsonl");
        _failures = In("failures.jsonl");
        _late = In("late.jsonl");
        _uses = In("uses.jsonl");
        _stalls = In("stalls.jsonl");
        _poolWaits = In("pool-waits.jsonl");
        _resources = In("resources.jsonl");
        _policies = In("policies.jsonl");
        HandOuts = In("handouts.jsonl");
        _exceptions = new SaidFile(Path.Combine(orders.Folder, "exceptions.txt"));
        _audit = new AuditFile(orders.Folder, Time);
        _heard = new Heard(orders.Folder);
    }

    public ChildOrders Orders { get; }

    public SoakTime Time { get; }

    public ChaosPlan Plan { get; private set; } = ChaosPlan.None;

    /// <summary>When all jobs end.</summary>
    public TimeSpan End { get; private set; } = TimeSpan.MaxValue;

    public JobComposition Composition { get; private set; } = null!;

    public RecordFile HandOuts { get; }

    public Counts Counts { get; } = new();

    /// <summary>The longest pause between two calls of one caller, in milliseconds: the more jobs, the longer.</summary>
    public int Pause => 10 + Math.Max(200, Orders.Options.Jobs * 10);

    public static async Task<int> RunAsync(string ordersFile)
    {
        using var run = new ChildRun(ChildOrders.Read(ordersFile));
        TaskScheduler.UnobservedTaskException += run.OnUnobserved;
        await run.RunAsync();
        TaskScheduler.UnobservedTaskException -= run.OnUnobserved;
        return 0;
    }

    public SoakProvider ProviderOf(JobSession session, SoakTarget target)
    {
        if (target.Kind == ExchangeKind.VaultSecret)
            return SoakProvider.Of(session.Provider<VaultSecret>(target.Name));
        CredentialProvider<BearerToken> provider = session.Provider<BearerToken>(target.Name);
        return SoakProvider.Of(_bug?.Provider?.Invoke(provider) ?? provider);
    }

    public HttpClient ClientOf(JobSession session, SoakTarget target) =>
        new(_bug?.Sender is { } wrap ? session.CreateHandler(target.Name, wrap(new SocketsHttpHandler())) : session.CreateHandler(target.Name)) { BaseAddress = Orders.Warehouse };

    /// <summary>A job has begun. It is held by nobody but itself.</summary>
    public void Began(JobSession session) => _sessions.Enqueue(new WeakReference(session));

    public void Failed(FailureRecord failure, Exception exception)
    {
        Counts.Failed();
        _failures.Add(failure);
        _exceptions.Say(exception);
    }

    public void Lost(LateRecord lost) => _late.Add(lost);

    public void Used(UseRecord use) => _uses.Add(use);

    public void ReturnedAt(string run, string target, TimeSpan start, TimeSpan deadline, TimeSpan returned)
    {
        if (returned > deadline + TimeSpan.FromSeconds(1))
            _late.Add(new LateRecord(run, target, start.Ticks, deadline.Ticks, returned.Ticks, CameBack: true));
    }

    /// <summary>A job's report, as the job's owner gets it.</summary>
    public IReadOnlyList<LeaseOutcome> LeasesOf(JobReport report) => _bug?.Report?.Invoke(report.Leases) ?? report.Leases;

    public void Completed(JobRecord job, JobReport report)
    {
        Counts.JobEnded();
        _jobs.Add(job);
        _exceptions.Say(report.ToString());
    }

    public void Dispose()
    {
        foreach (IDisposable file in new IDisposable[] { _jobs, _failures, _late, _uses, _stalls, _poolWaits, _resources, _policies, HandOuts, _exceptions, _audit, _heard })
            file.Dispose();
    }

    private RecordFile In(string file) => new(Path.Combine(Orders.Folder, file));

    private async Task RunAsync()
    {
        using var end = new CancellationTokenSource();
        // The first job pays for what a process pays for once: the baseline comes after it.
        Compose();
        await VirtualJob.RunAsync(this, JobPlan.WarmUp, TimeSpan.FromSeconds(1), seed: 0);
        GiveBack();
        Measure("baseline");

        // However long that took, the plan begins for both processes now.
        Console.WriteLine(Ready);
        var start = new TimeSpan(long.Parse(Console.ReadLine()!, CultureInfo.InvariantCulture));
        Plan = ChaosPlan.Of(Orders.Options, start);
        End = start + TimeSpan.FromSeconds(Orders.Options.Seconds);
        SoakPolicy rules = Compose();
        using (var stalls = new Stalls(Time, _stalls))
        using (new PoolWatch(Time, stalls, _poolWaits))
        {
            Task policy = rules.FollowPlanAsync(end.Token);
            Task measuring = MeasureAsync(end.Token);
            await Task.WhenAll(Enumerable.Range(0, Orders.Options.Jobs).Select(place => Task.Run(() => FillPlaceAsync(place))));
            await end.CancelAsync();
            Task beside = Task.WhenAll(policy, measuring);
            await beside.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (beside.IsFaulted)
                throw new SoakFailedException($"the rules or the measuring failed: {beside.Exception?.InnerException}");
        }

        await LetGoAsync();

        _bug?.Trail?.Invoke(Orders.TrailFolder);
        _heard.Observe();
        Measure("drained");
        using RecordFile summary = In("summary.jsonl");
        summary.Add(Counts.ToSummary());
    }

    // Until no job is held: what a job let run to its end, such as a call that was given up, lets go of it when it gets the processor.
    private async Task LetGoAsync()
    {
        TimeSpan began = Time.Elapsed;
        GiveBack();
        for (int round = 2; Held() > 0 && Time.Elapsed - began < MostToLetGo; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Min(round, 30) * 0.1), TimeProvider.System);   // ever more seldom: a collection stops what runs beside
            GiveBack();
        }
    }

    // Twice: what is freed by finalizers tells of itself only then.
    private static void GiveBack()
    {
        for (int round = 0; round < 2; round++)
        {
            Memory.GiveBack();
            GC.WaitForPendingFinalizers();
        }
    }

    private int Held() => _sessions.Count(session => session.IsAlive);

    private SoakPolicy Compose()
    {
        var policy = new SoakPolicy(Time, Plan, _policies);
        var audit = new ChaosSink(_audit, Plan, Time);
        var clock = new JumpingTime(Time, Plan);
        Composition = new JobComposition(
            Orders, _bug?.Time?.Invoke(clock) ?? clock, _bug?.Sink?.Invoke(audit) ?? audit, _bug?.Policy?.Invoke(policy) ?? policy, _heard, _bug);
        return policy;
    }

    private async Task FillPlaceAsync(int place)
    {
        // Not all in one instant: each job makes its own connections, and how long that takes on this machine is not what is tried.
        await Time.UntilAsync(End - TimeSpan.FromSeconds(Orders.Options.Seconds) + (Orders.Options.RampUp * place / Orders.Options.Jobs));
        int seed = Orders.Options.Seed ^ (place << 10);
        foreach ((string run, TimeSpan life) in JobPlan.OfPlace(Orders.Options, place))
        {
            if (Time.Elapsed >= End)
                return;
            await VirtualJob.RunAsync(this, run, life, seed++);
        }
    }

    private async Task MeasureAsync(CancellationToken end)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(Orders.Options.Seconds / 60.0, 1, 10)), TimeProvider.System, end);
            _heard.Observe();
            if (Orders.Options.IsLong)
                Memory.GiveBack();
            Measure("running");
        }
    }

    private void Measure(string when)
    {
        using Process self = Process.GetCurrentProcess();
        _resources.Add(new ResourceRecord(Time.Elapsed.Ticks, when, self.WorkingSet64, GC.GetTotalMemory(forceFullCollection: false), self.HandleCount, self.Threads.Count, ThreadPool.ThreadCount, Held()));
    }

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs args)
    {
        Counts.Unobserved();
        _exceptions.Say(args.Exception);
    }
}
