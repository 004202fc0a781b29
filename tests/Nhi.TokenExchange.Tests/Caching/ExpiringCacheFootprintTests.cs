namespace Nhi.TokenExchange.Tests.Caching;

[NonParallelizable]
public class ExpiringCacheFootprintTests
{
    private const int Keys = 100_000;

    [Test]
    public void A_key_costs_at_most_300_bytes_with_token_lease_and_fingerprint()
    {
        CredentialRequest[] requests = MakeRequests();
        var owner = new InstantOwner();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        ExpiringCache<BearerToken> cache = Fill(owner, requests);
        long after = GC.GetTotalMemory(forceFullCollection: true);
        double perKey = (after - before) / (double)Keys;
        TestContext.Out.WriteLine($"{perKey:0.0} bytes a key");
        Assert.That(cache.Count, Is.EqualTo(Keys));
        Assert.That(perKey, Is.LessThanOrEqualTo(300));
        GC.KeepAlive(requests);
        GC.KeepAlive(owner);
    }

    private static CredentialRequest[] MakeRequests() => [.. Enumerable.Range(0, Keys).Select(i => new CredentialRequest { Tenant = $"tenant-{i:000000000000}" })];

    private static ExpiringCache<BearerToken> Fill(InstantOwner owner, CredentialRequest[] requests)
    {
        var cache = new ExpiringCache<BearerToken>(owner, Keys);
        foreach (CredentialRequest request in requests)
            Assert.That(SlotBench.IsHit(cache.GetAsync(request, CancellationToken.None)), Is.True);
        return cache;
    }

    /// <summary>Lands each flight before Start returns.</summary>
    private sealed class InstantOwner : ISlotOwner<BearerToken>
    {
        private readonly LeaseSet _leases;
        private long _number;

        public InstantOwner() => _leases = new LeaseSet(Clock, _ => { }, _ => { });

        public AgreedClock Clock { get; } = new(TimeProvider.System);

        public string Target => "warehouse";

        public long NextFlightNumber() => ++_number;

        public double Jitter() => 0;

        public void Start(ExpiringSlot<BearerToken> slot, Flight flight, CredentialRequest? request)
        {
            DateTimeOffset end = Clock.Now.AddHours(1);
            var token = new BearerToken(flight.Number.ToString("0000000000"), end);
            LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = Clock.TickAfter(TimeSpan.FromHours(1)), WallEnd = Clock.WallSecondOf(end) }.From(flight.Number, null));
            _leases.Register(token);
            slot.TryLand(flight, token, Clock.TickAfter(TimeSpan.FromMinutes(40)));
        }

        public TokenExchangeException JobEnded() => throw new InvalidOperationException();

        public TokenExchangeException Reentered() => throw new InvalidOperationException();
    }
}
