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

    // What docs/concepts.md says of requests that vary. The middle of five: what tests before have left may go in the midst of one.
    [Test]
    public void What_made_room_costs_100_bytes_and_its_secret_until_it_is_ended()
    {
        const int Header = 22;   // of a string, with its closing null
        CredentialRequest[] requests = MakeRequests();

        double[] each = [.. Enumerable.Range(0, 5).Select(_ => BytesOfWhatMadeRoom(requests)).Order()];

        TestContext.Out.WriteLine($"{string.Join(", ", each.Select(one => $"{one:0.0}"))} bytes, of them {Header + (2 * InstantOwner.SecretLength)} of the secret");
        Assert.That(each[2] - Header - (2 * InstantOwner.SecretLength), Is.InRange(90, 120));
    }

    private static double BytesOfWhatMadeRoom(CredentialRequest[] requests)
    {
        const int Places = 50, Evicted = 20_000;
        var owner = new InstantOwner();
        ExpiringCache<BearerToken> cache = Fill(owner, requests[..Places], Places);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (CredentialRequest request in requests[Places..(Places + Evicted)])
            Assert.That(SlotBench.IsHit(cache.GetAsync(request, CancellationToken.None)), Is.True);
        double each = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)Evicted;
        Assert.That(cache.Count, Is.EqualTo(Places));
        Assert.That(owner.Leases.TakeAll(), Has.Count.EqualTo(Places + Evicted), "all of them are there for who ends them");
        GC.KeepAlive(cache);
        return each;
    }

    private static CredentialRequest[] MakeRequests() => [.. Enumerable.Range(0, Keys).Select(i => new CredentialRequest { Tenant = $"tenant-{i:000000000000}" })];

    private static ExpiringCache<BearerToken> Fill(InstantOwner owner, CredentialRequest[] requests, int capacity = Keys)
    {
        var cache = new ExpiringCache<BearerToken>(owner, capacity);
        foreach (CredentialRequest request in requests)
            Assert.That(SlotBench.IsHit(cache.GetAsync(request, CancellationToken.None)), Is.True);
        return cache;
    }

    /// <summary>Lands each flight before Start returns.</summary>
    private sealed class InstantOwner : ISlotOwner<BearerToken>
    {
        public const int SecretLength = 10;

        private long _number;

        public InstantOwner() => Leases = new LeaseSet(Clock, _ => { }, _ => { });

        public LeaseSet Leases { get; }

        public AgreedClock Clock { get; } = new(TimeProvider.System);

        public string Target => "warehouse";

        public long NextFlightNumber() => ++_number;

        public double Jitter() => 0;

        public void Start(ExpiringSlot<BearerToken> slot, Flight flight, CredentialRequest? request)
        {
            DateTimeOffset end = Clock.Now.AddHours(1);
            var token = new BearerToken(flight.Number.ToString(new string('0', SecretLength)), end);
            LeaseOwnership.TryClaim(token, new LeaseRecord { DeadTick = Clock.TickAfter(TimeSpan.FromHours(1)), WallEnd = Clock.WallSecondOf(end) }.From(flight.Number, null));
            Leases.Register(token);
            slot.TryLand(flight, token, Clock.TickAfter(TimeSpan.FromMinutes(40)));
        }

        public TokenExchangeException JobEnded() => throw new InvalidOperationException();

        public TokenExchangeException Reentered() => throw new InvalidOperationException();
    }
}
