using System.Collections.Concurrent;
using System.Globalization;

namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>A small cache under threads: more keys than places, herds for new keys, lives of milliseconds, failures, refusals, changes of the policy, and in every other round the job's end in the midst. At rest its accounts have to come out exactly.</summary>
internal sealed class CacheStress : ISlotOwner<BearerToken>
{
    private const int Capacity = 8;
    private const int Keys = 24;
    private const int Callers = 6;
    private const int GetsEach = 150;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private static readonly CredentialCaller Caller = new("stress", "stress");

    // Those behind the keys are for the accounts: as many as there are places, and one.
    private static readonly CredentialRequest[] Requests =
        [.. Enumerable.Range(0, Keys + Capacity + 1).Select(key => new CredentialRequest { Tenant = key.ToString(CultureInfo.InvariantCulture), Caller = Caller })];

    private readonly int _seed;
    private readonly bool _ends;
    private readonly int _endAt;
    private readonly ManualResetEventSlim _endNow = new();
    private readonly ExpiringCache<BearerToken> _cache;
    private readonly Departure?[] _last = new Departure?[Requests.Length];
    private readonly ConcurrentDictionary<BearerToken, CredentialRequest> _requestOf = new();
    private readonly ConcurrentBag<ExpiringSlot<BearerToken>> _slots = [];
    private readonly ConcurrentQueue<string> _faults = new();
    private List<Departure>? _held;
    private long _numbers;
    private long _handedOut;
    private int _inTheAir;
    private int _steps;
    private bool _ended;

    private CacheStress(int seed, bool ends)
    {
        _seed = seed;
        _ends = ends;
        _endAt = new Random(seed).Next(5, 60);
        Clock = new AgreedClock(new DisturbedTime(Disturb));
        _cache = new ExpiringCache<BearerToken>(this, Capacity);
    }

    public AgreedClock Clock { get; }

    public string Target => "stress";

    /// <summary>Runs rounds until something is wrong.</summary>
    /// <param name="rounds">At most.</param>
    /// <param name="seed">Of what is left to chance; the order of the threads is the machine's.</param>
    public static (string[] Faults, string Summary) Run(int rounds, int seed)
    {
        string[] faults = [];
        long handedOut = 0, flights = 0;
        int round = 0;
        for (; round < rounds && faults.Length == 0; round++)
        {
            var stress = new CacheStress(seed + round, ends: round % 2 == 1);
            faults = stress.RunRound();
            handedOut += stress._handedOut;
            flights += stress._numbers;
        }
        return (faults, string.Create(CultureInfo.InvariantCulture, $"{round} rounds, {handedOut} handed out, {flights} flights; {string.Join(", ", faults)}"));
    }

    // Called where a state or the map was read and nothing is exchanged yet.
    public long NextFlightNumber()
    {
        long number = Interlocked.Increment(ref _numbers);
        if (_ends && number == _endAt)
        {
            _endNow.Set();
            SpinWait.SpinUntil(() => Volatile.Read(ref _ended), TimeSpan.FromMilliseconds(1));
        }
        Disturb();
        return number;
    }

    public double Jitter() => 0;

    public TokenExchangeException JobEnded() => new(ErrorCodes.JobEnded, ExchangeStage.JobEnded, "over");

    public TokenExchangeException Reentered() => new(ErrorCodes.ReentrantExchange, ExchangeStage.Exchange, "ring");

    public void Start(ExpiringSlot<BearerToken> slot, Flight flight, CredentialRequest? request)
    {
        var departure = new Departure(slot, flight, request);
        // A flight leaves its slot's state by the exchange that lands it, and by nothing else but the end.
        Departure? before = Interlocked.Exchange(ref _last[int.Parse(request!.Tenant!, CultureInfo.InvariantCulture)], departure);
        if (before is not null && ReferenceEquals(before.Slot.State.Flight, before.Flight))
            _faults.Enqueue("two flights of one key");
        _slots.Add(slot);
        if (_held is { } held)
        {
            held.Add(departure);
            return;
        }
        Interlocked.Increment(ref _inTheAir);
        ThreadPool.UnsafeQueueUserWorkItem(_ => Watch(() => Fly(departure), () => Interlocked.Decrement(ref _inTheAir)), null);
    }

    private string[] RunRound()
    {
        var threads = new List<Thread>(Enumerable.Range(1, Callers).Select(i => InThread(() => Call(new Random((_seed * 31) + i)))));
        Thread changes = InThread(ChangePolicy);
        Thread end = InThread(End);
        foreach (Thread thread in threads.Append(changes))
            Join(thread);
        _endNow.Set();
        Join(end);
        if (!SpinWait.SpinUntil(() => Volatile.Read(ref _inTheAir) == 0, Patience))
            _faults.Enqueue("a flight that does not land");
        if (_faults.IsEmpty)
            SettleAccounts();
        return [.. _faults.Distinct()];
    }

    private void Call(Random random)
    {
        for (int i = 0; i < GetsEach; i++)
        {
            // The callers go through the keys together, so that several want the same new one.
            CredentialRequest request = Requests[((i / 8) + random.Next(3)) % Keys];
            bool ended = Volatile.Read(ref _ended);
            long begun = Clock.Tick;
            try
            {
                BearerToken token = Get(request);
                Interlocked.Increment(ref _handedOut);
                if (ended)
                    _faults.Enqueue("handed out after the end");
                if (token.Lease.DeadTick <= begun)
                    _faults.Enqueue("a dead one handed out");
                if (!ReferenceEquals(_requestOf[token], request))
                    _faults.Enqueue("one of another key handed out");
                if (random.Next(40) == 0)
                    _cache.Reject(token);
            }
            catch (TokenExchangeException exception) when (exception.Code == ErrorCodes.JobEnded)
            {
                if (!_ends)
                    _faults.Enqueue("an end that was none");
                return;
            }
            catch (TokenExchangeException)
            {
                if (ended)
                    _faults.Enqueue("another error after the end");
                Thread.Yield();   // remembered failures, or a flight in each place: they pass
            }
        }
    }

    private void ChangePolicy()
    {
        var random = new Random(_seed - 1);
        for (int i = 0; i < 4; i++)
        {
            Thread.SpinWait(random.Next(20_000));
            _cache.Invalidate();
        }
    }

    private void End()
    {
        _endNow.Wait();
        if (!_ends)
            return;
        _cache.End();
        Volatile.Write(ref _ended, true);
    }

    private void Fly(Departure departure)
    {
        var random = new Random(unchecked((int)((_seed * 1_000_003L) + departure.Flight.Number)));
        Thread.SpinWait(random.Next(2000));
        Disturb();
        if (departure.Slot.State is { Mark: not SlotMark.Ended } state && !ReferenceEquals(state.Flight, departure.Flight))
            _faults.Enqueue("a flight that lost its place");
        bool ended = Volatile.Read(ref _ended);
        int dice = random.Next(64);
        if (dice == 0)
            departure.Fail(new AccessDeniedException("rule", "no") { IsOfThePolicy = true });
        else if (dice < 5)
            departure.Fail();
        else if (Land(departure, TimeSpan.FromSeconds(random.Next(2, 8))) && ended)
            _faults.Enqueue("a slot that lived after the end");
    }

    private bool Land(Departure departure, TimeSpan life)
    {
        DateTimeOffset end = Clock.Now + life;
        var token = new BearerToken("stress" + departure.Flight.Number.ToString(CultureInfo.InvariantCulture), end);
        LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = Clock.TickAfter(life), WallEnd = Clock.WallSecondOf(end) });
        _requestOf[token] = departure.Request!;
        return departure.Slot.TryLand(departure.Flight, token, Clock.TickAfter(life / 2));
    }

    // Nobody calls, nothing flies.
    private void SettleAccounts()
    {
        int count = _cache.Count;
        int there = _cache.WithdrawOf(Caller).Count;
        if (there != count)
            _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{there} slots, counted as {count}"));
        if (_ends)
            SettleTheEnd();
        else
            FillEachPlace();
    }

    private void SettleTheEnd()
    {
        if (!_slots.All(slot => slot.State.IsFinal))
            _faults.Enqueue("a slot that lived after the end");
        _held = [];   // no flight is to depart any more
        foreach (CredentialRequest request in Requests)
        {
            Task<BearerToken> get = _cache.GetAsync(request, CancellationToken.None).AsTask();
            if (get.Exception?.InnerException is not TokenExchangeException { Code: ErrorCodes.JobEnded })
                _faults.Enqueue("a key that lived after the end");
        }
    }

    private void FillEachPlace()
    {
        _held = [];
        Task<BearerToken>[] waiters = [.. Requests[Keys..].Select(request => _cache.GetAsync(request, CancellationToken.None).AsTask())];
        if (_held.Count != Capacity || waiters[^1].Exception?.InnerException is not TokenExchangeException { Code: ErrorCodes.TooManyKeys })
        {
            _faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{_held.Count} places of {Capacity} could be filled"));
            return;   // who waits for what may never come
        }
        foreach (Departure departure in _held)
            Land(departure, TimeSpan.FromHours(1));
        foreach (Task<BearerToken> waiter in waiters[..Capacity])
            Watch(() => waiter.WaitAsync(Patience).GetAwaiter().GetResult());
    }

    private BearerToken Get(CredentialRequest request) => _cache.GetAsync(request, CancellationToken.None).AsTask().GetAwaiter().GetResult();

    private Thread InThread(Action action)
    {
        var thread = new Thread(() => Watch(action)) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Join(Thread thread)
    {
        if (!thread.Join(Patience))
            _faults.Enqueue("a caller that does not come back");
    }

    private void Watch(Action action, Action? then = null)
    {
        try
        {
            action();
        }
        catch (Exception exception)   // to be seen in the result, not lost with the thread
        {
            _faults.Enqueue(exception.GetType().Name + ": " + exception.Message);
        }
        finally
        {
            then?.Invoke();
        }
    }

    // Now and then the thread gives way, so that others come between: two processors alone seldom meet in a window of some instructions.
    private void Disturb()
    {
        uint step = unchecked((uint)Interlocked.Increment(ref _steps) * 2_654_435_769u);
        if (step < uint.MaxValue / 16)
            Thread.Yield();
        else if (step < uint.MaxValue / 8)
            Thread.SpinWait((int)(step & 511));
    }

    private sealed class DisturbedTime(Action disturb) : TimeProvider
    {
        private readonly FastTime _time = new();

        public override long TimestampFrequency => _time.TimestampFrequency;

        public override long GetTimestamp()
        {
            disturb();
            return _time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();
    }
}
