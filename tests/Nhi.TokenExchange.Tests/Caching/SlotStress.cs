using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>A clock whose hands both run a thousand times as fast as the real one: lives of seconds are milliseconds.</summary>
internal sealed class FastTime : TimeProvider
{
    private const int Speed = 1000;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly long _start = Stopwatch.GetTimestamp();

    public override long TimestampFrequency => Stopwatch.Frequency;

    public override long GetTimestamp() => (Stopwatch.GetTimestamp() - _start) * Speed;

    public override DateTimeOffset GetUtcNow() => Start + (Stopwatch.GetElapsedTime(_start) * Speed);
}

/// <summary>Counts of what must never happen.</summary>
internal sealed class StressResult
{
    public int Jobs, LostPlaces, DeadHandedOut, HandedOutAfterTheEnd, OldPolicy, DoubleRevocations, LostWaiters, UnaccountedLeases;
    public long Gets, Issued;
    public ConcurrentQueue<string> Surprises { get; } = new();

    /// <summary>What happened of it, each with its count.</summary>
    public string[] Faults =>
        [.. new (string Name, int Count)[]
        {
            ("flights that lost their place", LostPlaces), ("dead handed out", DeadHandedOut), ("handed out after the end", HandedOutAfterTheEnd), ("of an old policy", OldPolicy),
            ("revoked twice", DoubleRevocations), ("waiters lost", LostWaiters), ("leases that nobody ended", UnaccountedLeases),
        }.Where(fault => fault.Count > 0).Select(fault => string.Create(CultureInfo.InvariantCulture, $"{fault.Name}: {fault.Count}")), .. Surprises.Take(3)];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Jobs} jobs, {Gets} gets, {Issued} issued; {string.Join("; ", Faults)}");
}

/// <summary>One job: its slot, its leases, its issuer; a flight as the pipeline flies it.</summary>
internal sealed class StressOwner : ISlotOwner<BearerToken>
{
    private readonly StressResult _result;
    private readonly int _seed;
    private readonly ConcurrentDictionary<BearerToken, int> _revoked = new();
    private readonly ConcurrentDictionary<BearerToken, int> _revisionOf = new();
    private long _numbers;
    private int _revision;

    public StressOwner(StressResult result, AgreedClock clock, int seed)
    {
        _result = result;
        _seed = seed;
        Clock = clock;
        Leases = new LeaseSet(clock, credential => Revoke((BearerToken)credential), _ => { });
        Slot = new ExpiringSlot<BearerToken>(this);
    }

    public AgreedClock Clock { get; }

    public string Target => "stress";

    public LeaseSet Leases { get; }

    public ExpiringSlot<BearerToken> Slot { get; }

    /// <summary>The revision whose change has returned.</summary>
    public int PolicyInForce;

    public long NextFlightNumber() => Interlocked.Increment(ref _numbers);

    public double Jitter() => 0;

    public void Start(ExpiringSlot<BearerToken> slot, Flight flight, CredentialRequest? request) => _ = Task.Run(() => FlyAsync(flight));

    public TokenExchangeException JobEnded() => Ended();

    public TokenExchangeException Reentered() => new(ErrorCodes.ReentrantExchange, ExchangeStage.Exchange, "ring");

    public static TokenExchangeException Ended() => new(ErrorCodes.JobEnded, ExchangeStage.JobEnded, "over");

    public int RevisionOf(BearerToken token) => _revisionOf[token];

    public void ChangePolicy()
    {
        int revision = Interlocked.Increment(ref _revision);
        if (Slot.Invalidate() is { } old && LeaseOwnership.TryTake(old))
            Revoke(old);
        Volatile.Write(ref PolicyInForce, revision);
    }

    public async Task EndAsync()
    {
        Leases.Close();
        Slot.End();
        TakeAll();
        try
        {
            await Leases.Drained.WaitAsync(TimeSpan.FromMinutes(1));
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _result.LostWaiters);
        }
        TakeAll();
        if (Slot.TryGet(out _))
            Interlocked.Increment(ref _result.HandedOutAfterTheEnd);
        foreach (BearerToken issued in _revisionOf.Keys)
        {
            if (!_revoked.TryGetValue(issued, out int times))
                Interlocked.Increment(ref _result.UnaccountedLeases);
            else if (times != 1)
                Interlocked.Increment(ref _result.DoubleRevocations);
        }
    }

    private void TakeAll()
    {
        foreach (Credential lease in Leases.TakeAll())
            Revoke((BearerToken)lease);
    }

    private void Revoke(BearerToken token) => _revoked.AddOrUpdate(token, 1, (_, times) => times + 1);

    private async Task FlyAsync(Flight flight)
    {
        var random = new Random(HashOf(_seed, flight.Number));
        bool jobRuns = Leases.TakeOff();
        try
        {
            int revision = Volatile.Read(ref _revision);
            for (int steps = random.Next(4); steps > 0; steps--)
                await Task.Yield();
            Thread.SpinWait(random.Next(2000));
            if (!jobRuns || random.Next(8) == 0)
            {
                LookAtThePlaceOf(flight);
                Slot.Fail(flight, jobRuns ? SlotBench.Trouble() : Ended());
                return;
            }
            var life = TimeSpan.FromSeconds(random.Next(4, 12));
            DateTimeOffset end = Clock.Now + life;
            var token = new BearerToken("stress" + flight.Number, end);
            LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = Clock.TickAfter(life), WallEnd = Clock.WallSecondOf(end) }.From(flight.Number, null));
            _revisionOf[token] = revision;
            Interlocked.Increment(ref _result.Issued);
            Leases.Register(token);
            Thread.SpinWait(random.Next(500));
            LookAtThePlaceOf(flight);
            if (!Slot.TryLand(flight, token, Clock.TickAfter(life / 2)) && LeaseOwnership.TryTake(token))
                Revoke(token);
        }
        catch (Exception exception)   // to be seen in the result, not lost with the task
        {
            _result.Surprises.Enqueue("flight: " + exception.GetType().Name);
        }
        finally
        {
            Leases.TouchDown();
        }
    }

    // Two that overlap can't both stand in the slot: from its departure to its own landing a flight does, or the job has ended.
    private void LookAtThePlaceOf(Flight flight)
    {
        if (Slot.State is { Mark: not SlotMark.Ended } state && !ReferenceEquals(state.Flight, flight))
            Interlocked.Increment(ref _result.LostPlaces);
    }

    private static int HashOf(int seed, long number) => unchecked((int)((seed * 1_000_003L) + number));
}

/// <summary>Jobs one after the other: callers, rejections, policy changes, giving up, failures, and an end in the middle of all.</summary>
internal static class SlotStress
{
    private const int Callers = 12;
    private const int PolicyChanges = 10;

    /// <summary>Runs until something is wrong, or the time is over.</summary>
    /// <returns>What was wrong.</returns>
    public static async Task<string[]> FaultsAsync(TimeSpan time, int seed) => (await RunAsync(time, seed, stopWhenRed: true)).Faults;

    /// <summary>An order of steps that threads meet too seldom: what a flight brings is dead before its waiter wakes.</summary>
    /// <returns>What was wrong.</returns>
    public static async Task<string[]> LandDeadAsync()
    {
        var bench = new SlotBench();
        var slot = new ExpiringSlot<BearerToken>(bench);
        Task<BearerToken> waiter = slot.GetAsync(null, CancellationToken.None).AsTask();
        Departure first = await bench.DepartureAsync();
        BearerToken dead = bench.Token(10);
        bench.Hands.Advance(TimeSpan.FromSeconds(11));
        var departs = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bench.BeforeDeparture = departs.SetResult;
        slot.TryLand(first.Flight, dead, bench.RefreshTick(5));
        if (await Task.WhenAny(waiter, departs.Task) == waiter)
            return ["a waiter that trusts what landed"];
        BearerToken? alive = (await bench.DepartureAsync()).Land(bench);
        return ReferenceEquals(await waiter, alive) ? [] : ["a waiter that got something else"];
    }

    public static async Task<StressResult> RunAsync(TimeSpan time, int seed, bool stopWhenRed = false)
    {
        var result = new StressResult();
        var clock = new AgreedClock(new FastTime());
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time && !(stopWhenRed && result.Faults.Length > 0))
            await RunJobAsync(result, clock, seed + (result.Jobs++ * 1000));
        return result;
    }

    private static async Task RunJobAsync(StressResult result, AgreedClock clock, int seed)
    {
        var owner = new StressOwner(result, clock, seed);
        bool ended = false;
        Task[] callers = [.. Enumerable.Range(0, Callers).Select(i => Task.Run(() => CallAsync(seed + i)))];
        Task changes = Task.Run(async () =>
        {
            var random = new Random(seed - 1);
            for (int i = 0; i < PolicyChanges; i++)
            {
                await SpinAsync(random.Next(8_000));
                owner.ChangePolicy();
            }
        });
        await changes;
        await SpinAsync(new Random(seed - 2).Next(8_000));
        await owner.EndAsync();
        Volatile.Write(ref ended, true);
        try
        {
            await Task.WhenAll(callers).WaitAsync(TimeSpan.FromMinutes(1));
        }
        catch (TimeoutException)
        {
            Interlocked.Add(ref result.LostWaiters, callers.Count(caller => !caller.IsCompleted));
        }

        async Task CallAsync(int callerSeed)
        {
            var random = new Random(callerSeed);
            long gets = 0;
            for (int afterEnd = 0; afterEnd < 3;)
            {
                bool wasEnded = Volatile.Read(ref ended);
                int policy = Volatile.Read(ref owner.PolicyInForce);
                long begun = clock.Tick;
                gets++;
                try
                {
                    using var impatience = random.Next(16) == 0 ? new CancellationTokenSource() : null;
                    if (!owner.Slot.TryGet(out BearerToken? token))
                    {
                        ValueTask<BearerToken> get = owner.Slot.GetAsync(null, impatience?.Token ?? CancellationToken.None);
                        impatience?.Cancel();
                        token = await get;
                    }
                    if (token.Lease.DeadTick <= begun)
                        Interlocked.Increment(ref result.DeadHandedOut);
                    if (wasEnded)
                        Interlocked.Increment(ref result.HandedOutAfterTheEnd);
                    if (owner.RevisionOf(token) < policy)
                        Interlocked.Increment(ref result.OldPolicy);
                    if (random.Next(500) == 0)
                        owner.Slot.Reject(token);
                    if (wasEnded)
                        afterEnd++;
                }
                catch (OperationCanceledException)
                {
                }
                catch (TokenExchangeException exception)
                {
                    if (wasEnded && exception.Code != ErrorCodes.JobEnded)
                        result.Surprises.Enqueue("after the end: " + exception.Code);
                    if (exception.Code == ErrorCodes.JobEnded)
                        afterEnd++;
                    else
                        await Task.Yield();
                }
                if (gets % 64 == 0)
                    await Task.Yield();
            }
            Interlocked.Add(ref result.Gets, gets);
        }
    }

    // The clock of the test is the real one, sped up: work, not sleep, lets it run.
    private static async Task SpinAsync(int microseconds)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMicroseconds < microseconds)
        {
            Thread.SpinWait(50);
            await Task.Yield();
        }
    }
}
