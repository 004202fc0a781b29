using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>A hundred thousand keys: bytes a key, and a hit at a random one. At that size a hit is cache misses, not instructions.</summary>
public static class ManyKeysRun
{
    public const string Bare = "bare `ConcurrentDictionary`";
    public const string Ours = "**ours**, one tenant a key";
    public const string NewRequests = "**ours**, a new request each time";
    public const int Rounds = 12;
    public const int MsalRounds = 1;   // of some seconds

    private const int Keys = 100_000;

    private static readonly string[] Tenants = [.. Enumerable.Range(0, Keys).Select(key => new Guid(key, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10).ToString())];

    public static async Task<IReadOnlyList<ManyKeysResult>> RunAsync()
    {
        int[] order = [.. Enumerable.Range(0, Keys)];
        new Random(7).Shuffle(order);
        _ = Tenants[0];   // the strings are there before anything is weighed
        long before = Bytes();
        CredentialRequest[] requests = [.. Tenants.Select(tenant => new CredentialRequest { Tenant = tenant })];
        double requestBytes = PerKey(before) - IntPtr.Size;   // less the array

        before = Bytes();
        var dictionary = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        foreach (string tenant in Tenants)
            dictionary[tenant] = NewToken();
        double dictionaryBytes = PerKey(before);

        before = Bytes();
        var memory = new MemoryCache(new MemoryCacheOptions());
        foreach (string tenant in Tenants)
            memory.Set(tenant, NewToken(), TimeSpan.FromHours(1));
        double memoryBytes = PerKey(before);

        var gate = new IssuerGate();
        await using JobSession session = await BenchmarkJob.StartAsync(gate, ["warehouse"]);
        await gate.DemandTrueHitAsync(async () => await session.Provider<BearerToken>("warehouse").GetAsync());
        // The cache behind GetAsync(request), with the real pipeline behind it, but for more keys than a target holds by default.
        var ours = new ExpiringCache<BearerToken>((TargetRuntime<BearerToken>)session.Runtime("warehouse"), Keys);
        before = Bytes();
        foreach (CredentialRequest request in requests)
            await ours.GetAsync(request, default);
        double ourBytes = PerKey(before);
        int issued = gate.Calls;

        (string Store, double Bytes, Func<double> Round)[] stores =
        [
            (Bare, dictionaryBytes, () => Round(order, key => dictionary.TryGetValue(Tenants[key], out _))),
            ("`IMemoryCache`", memoryBytes, () => Round(order, key => memory.TryGetValue(Tenants[key], out string? _))),
            (Ours, ourBytes, () => Round(order, key => ours.GetAsync(requests[key], default).IsCompletedSuccessfully)),
            (NewRequests, ourBytes, () => Round(order, key => ours.GetAsync(new CredentialRequest { Tenant = Tenants[key] }, default).IsCompletedSuccessfully)),
        ];
        double[] best = [.. Enumerable.Repeat(double.MaxValue, stores.Length)];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < stores.Length; i++)
                best[i] = Math.Min(best[i], stores[i].Round());
        }
        DemandHits(gate, issued);
        GC.KeepAlive(dictionary);
        memory.Dispose();
        return [.. stores.Select((store, i) => new ManyKeysResult(store.Store, Keys, store.Bytes, store.Store is Ours or NewRequests ? requestBytes : 0, best[i])), await MsalAsync(order)];
    }

    private static async Task<ManyKeysResult> MsalAsync(int[] order)
    {
        var gate = new IssuerGate();
        IConfidentialClientApplication app = MicrosoftPeers.Msal(new InMemoryIssuer(gate));
        await app.AcquireTokenForClient(MicrosoftPeers.Scopes).ExecuteAsync();
        long before = Bytes();
        for (int key = 0; key < Keys; key++)
            await app.AcquireTokenForClient(MicrosoftPeers.Scopes).WithTenantId(Tenants[key]).ExecuteAsync();
        double bytes = PerKey(before);
        int issued = gate.Calls;
        double best = double.MaxValue;
        for (int round = 0; round < MsalRounds; round++)
        {
            long start = Stopwatch.GetTimestamp();
            foreach (int key in order)
                await app.AcquireTokenForClient(MicrosoftPeers.Scopes).WithTenantId(Tenants[key]).ExecuteAsync();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Keys);
        }
        DemandHits(gate, issued);
        GC.KeepAlive(app);
        return new ManyKeysResult("MSAL app token cache, one tenant a key", Keys, bytes, 0, best);
    }

    private static void DemandHits(IssuerGate gate, int issued)
    {
        if (issued < Keys || gate.Calls != issued)
            throw new InvalidOperationException($"Not a hit: {issued} issuer calls after the filling, {gate.Calls} after the rounds.");
    }

    private static double Round(int[] order, Func<int, bool> hit)
    {
        long start = Stopwatch.GetTimestamp();
        int hits = 0;
        foreach (int key in order)
            hits += hit(key) ? 1 : 0;
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / order.Length;
        return hits == order.Length ? nanoseconds : throw new InvalidOperationException($"Only {hits} of {order.Length} were hits.");
    }

    private static int _tokens;

    private static string NewToken() => (++_tokens).ToString("x10", CultureInfo.InvariantCulture);

    private static double PerKey(long before) => (Bytes() - before) / (double)Keys;

    private static long Bytes() => GC.GetTotalMemory(forceFullCollection: true);
}
