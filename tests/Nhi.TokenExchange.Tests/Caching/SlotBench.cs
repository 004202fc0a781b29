using System.Collections.Concurrent;

namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>Stands where a target stands: hands out flights to the test, which ends them by hand.</summary>
internal sealed class SlotBench : ISlotOwner<BearerToken>
{
    private readonly ConcurrentQueue<Departure> _departures = new();
    private readonly SemaphoreSlim _departed = new(0);
    private long _numbers;
    private int _started;

    public SlotBench(TimeProvider? time = null)
    {
        Time = time ?? new ManualTimeProvider();
        Clock = new AgreedClock(Time);
    }

    public TimeProvider Time { get; }

    public ManualTimeProvider Hands => (ManualTimeProvider)Time;

    public AgreedClock Clock { get; }

    public string Target => "warehouse";

    public int Started => Volatile.Read(ref _started);

    public double JitterValue { get; set; }

    /// <summary>Runs where a departing caller has read the slot's state and not exchanged it yet.</summary>
    public Action? BeforeDeparture { get; set; }

    /// <summary>Runs where a failing flight has read the slot's state and not exchanged it yet.</summary>
    public Action? BeforeFailure { get; set; }

    public long NextFlightNumber()
    {
        Action? hook = BeforeDeparture;
        BeforeDeparture = null;
        hook?.Invoke();
        return Interlocked.Increment(ref _numbers);
    }

    public void Start(ExpiringSlot<BearerToken> slot, Flight flight, CredentialRequest? request)
    {
        Interlocked.Increment(ref _started);
        _departures.Enqueue(new Departure(slot, flight, request));
        _departed.Release();
    }

    public double Jitter()
    {
        Action? hook = BeforeFailure;
        BeforeFailure = null;
        hook?.Invoke();
        return JitterValue;
    }

    public TokenExchangeException JobEnded() => new(ErrorCodes.JobEnded, ExchangeStage.JobEnded, "over");

    public TokenExchangeException Reentered() => new(ErrorCodes.ReentrantExchange, ExchangeStage.Exchange, "ring");

    /// <summary>The next flight that started; waits for it.</summary>
    public async Task<Departure> DepartureAsync()
    {
        Assert.That(await _departed.WaitAsync(TimeSpan.FromSeconds(20)), Is.True, "a flight should have started");
        Assert.That(_departures.TryDequeue(out Departure? departure), Is.True);
        return departure!;
    }

    public BearerToken Token(double lifeSeconds = 60, bool endIsUncertain = false)
    {
        DateTimeOffset end = Clock.Now + TimeSpan.FromSeconds(lifeSeconds);
        var token = new BearerToken("token" + Interlocked.Increment(ref _numbers), end);
        Assert.That(LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = Clock.TickAfter(TimeSpan.FromSeconds(lifeSeconds)), WallEnd = Clock.WallSecondOf(end), EndIsUncertain = endIsUncertain }), Is.True);
        return token;
    }

    public long RefreshTick(double seconds) => Clock.TickAfter(TimeSpan.FromSeconds(seconds));

    /// <summary>Fills a slot by one flight.</summary>
    public async Task<BearerToken> FillAsync(ExpiringSlot<BearerToken> slot, double lifeSeconds = 60, double refreshSeconds = 30)
    {
        ValueTask<BearerToken> get = slot.GetAsync(null, CancellationToken.None);
        Departure departure = await DepartureAsync();
        BearerToken token = departure.Land(this, lifeSeconds, refreshSeconds)!;
        Assert.That(await get, Is.SameAs(token));
        return token;
    }

    public static bool IsHit(ValueTask<BearerToken> get) => get.IsCompletedSuccessfully;

    public static TokenExchangeException Trouble(TimeSpan? retryAfter = null) =>
        new(ErrorCodes.IssuerUnreachable, ExchangeStage.Exchange, "down") { IsTransient = true, Target = "warehouse", RetryAfter = retryAfter };
}

/// <summary>A flight in the hands of the test.</summary>
internal sealed record Departure(ExpiringSlot<BearerToken> Slot, Flight Flight, CredentialRequest? Request)
{
    /// <returns>The credential that the slot took; null if it took none.</returns>
    public BearerToken? Land(SlotBench bench, double lifeSeconds = 60, double refreshSeconds = 30)
    {
        BearerToken token = bench.Token(lifeSeconds);
        return Slot.TryLand(Flight, token, bench.RefreshTick(refreshSeconds)) ? token : null;
    }

    public BearerToken? Fail(TokenExchangeException? cause = null) => Slot.Fail(Flight, cause ?? SlotBench.Trouble());
}
