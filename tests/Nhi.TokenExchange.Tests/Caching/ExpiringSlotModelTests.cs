namespace Nhi.TokenExchange.Tests.Caching;

/// <summary>A million random steps of the slot beside a model that is written from the rules of DESIGN 5, under one lock, with no cleverness.</summary>
public class ExpiringSlotModelTests
{
    private const int Steps = 1_000_000;

    [TestCase(1)]
    [TestCase(20260101)]
    public async Task The_slot_does_what_the_model_does(int seed)
    {
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        int landings = 0, refusals = 0, hits = 0, waits = 0, ends = 0, backoffs = 0, dooms = 0, beside = 0;
        for (int step = 0; step < Steps / 2;)
        {
            var run = new Run(random);
            for (int i = random.Next(50, 2000); i > 0 && step < Steps / 2; i--, step++)
                await run.StepAsync(step);
            (landings, refusals, hits, waits, ends) = (landings + run.Landings, refusals + run.Refusals, hits + run.Hits, waits + run.Waits, ends + (run.HasEnded ? 1 : 0));
            (backoffs, dooms, beside) = (backoffs + run.Backoffs, dooms + run.Dooms, beside + run.DoomsBesideAGoodOne);
        }
        TestContext.Out.WriteLine($"{hits} handed out at once, {waits} waited, {landings} landed, {refusals} refused, {backoffs} of them after credentials refused one after the other, {dooms} doomed by a withdrawal, {beside} beside a credential that stays, {ends} jobs ended");
        Assert.That(new[] { landings, refusals, backoffs, hits, waits, dooms, beside, ends }, Is.All.GreaterThan(20), "a walk that comes nowhere shows nothing");
    }

    /// <summary>What DESIGN says, in times instead of states.</summary>
    private sealed class Model
    {
        public BearerToken? Held;
        public long HeldEnds, RefreshDue;
        public double HeldEndsByWall;
        public Flight? Flying;
        public BearerToken? FlyingFor;   // what was good when it took off
        public bool Doomed, Ended, Denied;
        public int FailuresInARow;
        public long NextTry;
        public bool Failing, FailedBesideAGoodOne;
        public int RefusalsInARow;   // of the last credentials, each within a minute after the one before might be replaced
        public long NextAfterRefusal;

        public bool IsForgotten(long mono) => RefusalsInARow > 0 && mono - 60_000 >= NextAfterRefusal;

        public bool IsGood(long mono, double wall) => Held is not null && mono < HeldEnds && Math.Ceiling(wall) < Math.Floor(HeldEndsByWall);
    }

    private sealed class Run(Random random)
    {
        private readonly SlotBench _bench = new();
        private readonly Model _model = new();
        private readonly List<Departure> _inTheAir = [];
        private readonly List<BearerToken> _seen = [];
        private ExpiringSlot<BearerToken>? _slot;
        private DateTimeOffset _start;
        private long _monoMilliseconds;
        private Task<BearerToken>? _waiter;

        public int Landings, Refusals, Hits, Waits, Backoffs, Dooms, DoomsBesideAGoodOne;

        public bool HasEnded => _model.Ended;

        private long Mono => _monoMilliseconds;

        private double Wall => (_bench.Clock.Now - _start).Ticks / (double)TimeSpan.TicksPerSecond;

        public async Task StepAsync(int step)
        {
            if (_slot is null)
            {
                _slot = new ExpiringSlot<BearerToken>(_bench);
                _start = _bench.Clock.Now;
            }
            int dice = random.Next(100);
            try
            {
                if (dice < 40)
                    await GetAsync();
                else if (dice < 55)
                    await EndFlightAsync();
                else if (dice < 60)
                    Reject();
                else if (dice < 62)
                    Invalidate();
                else if (dice < 63)
                    Withdraw();
                else if (dice < 64)
                    DoomFlight();
                else if (dice < 95)
                    Advance(random.Next(3) switch { 0 => random.Next(1, 50), 1 => random.Next(1, 5000), _ => random.Next(1, 60_000) });
                else if (dice < 97)
                    MoveWall(() => _bench.Hands.Suspend(TimeSpan.FromMilliseconds(random.Next(1, 40_000))));
                else if (dice < 99)
                    MoveWall(() => _bench.Hands.SetWall(_bench.Clock.Now.AddMilliseconds(random.Next(-40_000, 40_000))));
                else if (random.Next(10) == 0)
                    await EndAsync();
            }
            catch (Exception exception) when (exception is not AssertionException)
            {
                Assert.Fail($"step {step}: {exception}");
            }
        }

        private void Advance(int milliseconds)
        {
            _bench.Hands.Advance(TimeSpan.FromMilliseconds(milliseconds));
            _monoMilliseconds += milliseconds;
        }

        // The slot may trust the wall for the rest of the tick in which it asked it: so the tick is over.
        private void MoveWall(Action move)
        {
            move();
            Advance(1);
        }

        private async Task GetAsync()
        {
            if (_waiter is not null)
            {
                // One waits already: only callers that need not wait are tried beside him.
                if (!_model.IsGood(Mono, Wall))
                    return;
            }
            int started = _bench.Started;
            bool good = _model.IsGood(Mono, Wall);
            ValueTask<BearerToken> get = _slot!.TryGet(out BearerToken? hit) ? new(hit) : _slot.GetAsync(null, CancellationToken.None);
            if (_model.Ended)
            {
                await RefusedAsync(get.AsTask(), ErrorCodes.JobEnded);
                return;
            }
            bool mayTry = _model.Flying is null && (!good || Mono >= _model.RefreshDue) && !(_model.Failing && (_model.Denied || (Mono < _model.NextTry && (good || !_model.FailedBesideAGoodOne)))) && !(!good && Mono < _model.NextAfterRefusal);
            Assert.That(_bench.Started - started, Is.EqualTo(mayTry ? 1 : 0), "flights");
            if (mayTry)
            {
                await NoteDepartureAsync(good);
            }
            if (good)
            {
                Assert.That(get.IsCompletedSuccessfully, Is.True, "served without waiting");
                Assert.That(await get, Is.SameAs(_model.Held));
                Hits++;
            }
            else if (_model.Flying is null)
            {
                await RefusedAsync(get.AsTask(), !_model.Failing ? ErrorCodes.CredentialRefused : _model.Denied ? ErrorCodes.AccessDenied : ErrorCodes.IssuerUnreachable);
                Backoffs += _model.Failing ? 0 : 1;
            }
            else
            {
                _waiter = get.AsTask();
                Assert.That(_waiter.IsCompleted, Is.False);
                Waits++;
            }
        }

        private async Task NoteDepartureAsync(bool refresh)
        {
            Departure departure = await _bench.DepartureAsync();
            Assert.That(departure.Flight.IsRefresh, Is.EqualTo(refresh));
            _inTheAir.Add(departure);
            (_model.Flying, _model.FlyingFor, _model.Doomed) = (departure.Flight, refresh ? _model.Held : null, false);
        }

        private async Task EndFlightAsync()
        {
            if (_inTheAir.Count == 0)
                return;
            Departure departure = _inTheAir[random.Next(_inTheAir.Count)];
            _inTheAir.Remove(departure);
            bool counts = ReferenceEquals(_model.Flying, departure.Flight) && !_model.Doomed && !_model.Ended;
            int outcome = random.Next(10);
            string? refusal = null;
            if (outcome < 7)
            {
                int life = random.Next(3, 90);
                double refresh = life * random.NextDouble();
                if (random.Next(20) == 0)
                    life = 0;   // arrived late: dead already
                BearerToken token = _bench.Token(life);
                long refreshTick = _bench.RefreshTick(refresh);
                Assert.That(departure.Slot.TryLand(departure.Flight, token, refreshTick), Is.EqualTo(counts));
                if (counts)
                {
                    Landings++;
                    _seen.Add(token);
                    (_model.Held, _model.HeldEnds, _model.HeldEndsByWall, _model.RefreshDue) = (token, Mono + (life * 1000), Wall + life, refreshTick);
                    (_model.Failing, _model.Denied, _model.FailuresInARow) = (false, false, 0);
                    if (_model.IsForgotten(Mono))
                        (_model.RefusalsInARow, _model.NextAfterRefusal) = (0, 0);
                }
            }
            else
            {
                counts |= ReferenceEquals(_model.Flying, departure.Flight) && _model.Doomed && _model.Held is not null;   // what was to be refreshed was not withdrawn
                bool denied = outcome == 9;
                BearerToken? taken = departure.Fail(denied ? new AccessDeniedException("rule", "no") { IsOfThePolicy = true } : null);
                Assert.That(taken, counts && denied ? Is.SameAs(_model.Held) : Is.Null);
                if (counts)
                {
                    _model.Failing = true;
                    _model.Denied = denied;
                    _model.FailedBesideAGoodOne = departure.Flight.IsRefresh;
                    _model.FailuresInARow++;
                    (_model.RefusalsInARow, _model.NextAfterRefusal) = (0, 0);
                    _model.NextTry = Mono + (long)(500 * Math.Min(60, Math.Pow(2, _model.FailuresInARow - 1)));
                    _model.RefreshDue = _model.NextTry;
                    if (denied)
                        _model.Held = null;
                    refusal = denied ? ErrorCodes.AccessDenied : ErrorCodes.IssuerUnreachable;
                }
            }
            bool mine = ReferenceEquals(_model.Flying, departure.Flight);
            if (mine && !counts)
                (_model.RefreshDue, _model.Failing, _model.Denied, _model.FailuresInARow, _model.RefusalsInARow, _model.NextAfterRefusal) = (0, false, false, 0, 0, 0);
            if (mine)
                (_model.Flying, _model.Doomed) = (null, false);
            if (mine && _waiter is { } waiter && !_model.Ended)
                await WakeAsync(waiter, refusal);
        }

        // Who wakes looks again: what is held and good, else the failure he waited for, else the next flight.
        private async Task WakeAsync(Task<BearerToken> waiter, string? refusal)
        {
            bool good = _model.IsGood(Mono, Wall);
            if (!good && refusal is null)
            {
                await NoteDepartureAsync(refresh: false);
                return;
            }
            _waiter = null;
            if (!good)
            {
                await RefusedAsync(waiter, refusal!);
                return;
            }
            Assert.That(await waiter.WaitAsync(TimeSpan.FromSeconds(20)), Is.SameAs(_model.Held));
            if (refusal is null && Mono >= _model.RefreshDue)
                await NoteDepartureAsync(refresh: true);
        }

        private void Reject()
        {
            if (_seen.Count == 0)
                return;
            BearerToken token = random.Next(2) == 0 ? _seen[^1] : _seen[random.Next(_seen.Count)];
            bool isHeld = ReferenceEquals(token, _model.Held);
            Assert.That(_slot!.Reject(token), Is.EqualTo(isHeld));
            if (!isHeld)
                return;
            _model.Held = null;
            if (_model.Flying is not null || (_model.Failing && Mono < _model.NextTry))
                return;   // the next comes anyway, or not yet anyway
            _model.RefusalsInARow = _model.Failing || _model.IsForgotten(Mono) ? 1 : _model.RefusalsInARow + 1;
            _model.NextAfterRefusal = Mono + (_model.RefusalsInARow == 1 ? 0 : (long)(500 * Math.Min(60, Math.Pow(2, _model.RefusalsInARow - 2))));
            (_model.Failing, _model.FailuresInARow) = (false, 0);
        }

        private void Invalidate()
        {
            Assert.That(_slot!.Invalidate(), Is.SameAs(_model.Held));
            (_model.Held, _model.Failing, _model.Denied, _model.FailuresInARow, _model.RefusalsInARow, _model.NextAfterRefusal) = (null, false, false, 0, 0, 0);
            _model.Doomed = _model.Flying is not null;
        }

        private void Withdraw()
        {
            if (_seen.Count == 0)
                return;
            BearerToken token = random.Next(2) == 0 ? _seen[^1] : _seen[random.Next(_seen.Count)];
            _slot!.Withdraw(state => state.Without(token));
            if (token == _model.Held)
                _model.Held = null;
            else if (_model.Flying is null || token != _model.FlyingFor)
                return;
            if (_model.Flying is null)
                return;
            (_model.Doomed, _model.Failing, _model.Denied, _model.FailuresInARow, _model.RefusalsInARow, _model.NextAfterRefusal) = (true, false, false, 0, 0, 0);
            Dooms++;
        }

        private void DoomFlight()
        {
            _slot!.Withdraw(state => state.WithoutFlight());
            if (_model.Flying is null)
                return;
            _model.Doomed = true;
            DoomsBesideAGoodOne += _model.IsGood(Mono, Wall) ? 1 : 0;
        }

        private async Task EndAsync()
        {
            _slot!.End();
            (_model.Ended, _model.Held, _model.Flying, _model.FlyingFor) = (true, null, null, null);
            if (_waiter is { } waiter)
            {
                _waiter = null;
                await RefusedAsync(waiter, ErrorCodes.JobEnded);
            }
        }

        private async Task RefusedAsync(Task<BearerToken> task, string code)
        {
            Refusals++;
            try
            {
                await task.WaitAsync(TimeSpan.FromSeconds(20));
                Assert.Fail($"{code} was expected");
            }
            catch (TokenExchangeException exception)
            {
                if (exception.Code != code)
                    Assert.That(exception.Code, Is.EqualTo(code));
            }
        }
    }
}
