using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Holds results against the goals. Every ratio is of two numbers of the same report; the goals of first tokens come from a report of their own.</summary>
public sealed class GoalJudge(
    IReadOnlyList<HitResult> hits, IReadOnlyList<StampedeResult> stampede, IReadOnlyList<ThreadScalingResult> threads, IReadOnlyList<ManyKeysResult> manyKeys,
    IReadOnlyList<Goal> coldStart)
{
    public IReadOnlyList<Goal> Judge() =>
    [
        AtMostFloor("1", "hit, provider held, through the public interface", nameof(OursAndFloor.GetAsync), 1.5),
        AtMostFloor("1", "the same by `TryGet`", nameof(OursAndFloor.TryGet), 1.5),
        AtMostFloor("2", "hit by target name (frozen look-up)", nameof(OursAndFloor.GetAsyncByName), 2),
        AtMostFloor("3", "hit awaited in an async method", nameof(OursAndFloor.Awaited), 3),
        Published("–", "hit where the JIT can't guess the receiver (no PGO)", nameof(OursAndFloor.GetAsync)),
        Published("–", "the same by `TryGet`", nameof(OursAndFloor.TryGet)),
        Faster("4", "Google.Apis.Auth external account", nameof(SdkPeers.Google), 10),
        Faster("5", "AWS `RefreshingAWSCredentials`", nameof(SdkPeers.Aws), 20),
        Faster("5", "Azure.Core `BearerTokenAuthenticationPolicy`", nameof(SdkPeers.AzureCore), 25),
        Faster("6", "MSAL `AcquireTokenForClient`", nameof(SdkPeers.Msal), 500),
        Faster("6", "Azure.Identity `ClientAssertionCredential`", nameof(SdkPeers.AzureClientAssertion), 500),
        Faster("6", "Azure.Identity `WorkloadIdentityCredential`", nameof(SdkPeers.AzureWorkloadIdentity), 500),
        Threads(),
        .. Stampedes("8", "9", OurPeer.Title, ""),
        RefreshFails(),
        .. ManyKeys(),
        .. coldStart,
        WholeExchangeTime("17", nameof(WholeExchange.Ours), "whole exchange, all stages, against a bare form post", 4),
        WholeExchangeTime("–", nameof(WholeExchange.PlainOnThePool), "the bare form post on a thread of the pool, its caller woken, against itself", null),
        WholeExchangeTime("–", nameof(WholeExchange.ExchangeAlone), "of ours the exchange alone, against a bare form post", null),
        WholeExchangeBytes(),
        WholeExchangeAgainstMsal(),
        Adapter("hit, `AsTokenCredential`, `GetTokenAsync`", nameof(AzureAdapters.TokenCredentialAsync)),
        Adapter("hit, `AsTokenCredential`, `GetToken`", nameof(AzureAdapters.TokenCredentialSync)),
        FasterThanAzureIdentity(nameof(AzureAdapters.TokenCredentialAsync), "GetTokenAsync"),
        FasterThanAzureIdentity(nameof(AzureAdapters.TokenCredentialSync), "GetToken"),
        Pipelines(),
        Published("–", "a request through `HttpClient`, with our `CreateHandler` against without", nameof(HttpClients.OursInHttpClient), nameof(HttpClients.BareHttpClient)),
        .. Stampedes("A3", "A3", OurPeer.TokenCredentialTitle, ", `AsTokenCredential`"),
        .. Stampedes("A3", "A3", OurPeer.PolicyTitle, ", `AddCredential`"),
    ];

    // What does all that the floor does, and more.
    private static readonly string[] FloorAndMore = [nameof(OursAndFloor.Floor), nameof(OursAndFloor.GetAsync), nameof(OursAndFloor.TryGet), nameof(OursAndFloor.GetAsyncByName), nameof(OursAndFloor.Awaited)];

    private double FloorNanoseconds => FloorOf(hits).Best;

    /// <summary>The row that counts as the floor: the least, in either kind of run, of its own and of ours. A floor above ours is a disturbed one.</summary>
    public static HitResult FloorOf(IReadOnlyList<HitResult> hits) => hits.Where(hit => FloorAndMore.Contains(hit.Method)).MinBy(hit => hit.Best)!;

    private HitResult Hit(string method, string job = BenchmarkConfigs.ShortId) => hits.FirstOrDefault(hit => hit.Method == method && hit.Job == job) ?? throw Older($"measures {method}");

    private static RefusedReportException Older(string what) => new($"The numbers are older than this program, which {what}: run --goals.");

    private Goal AtMostFloor(string number, string what, string method, double most)
    {
        HitResult ours = Hit(method);
        double ratio = ours.Best / FloorNanoseconds;
        return new Goal(number, what, $"≤ {Text(most)} × floor, 0 B", $"{Text(ratio)} × floor", $"{ours.Bytes} B", ratio <= most && ours.Bytes == 0);
    }

    private Goal Published(string number, string what, string method)
    {
        HitResult ours = Hit(method, BenchmarkConfigs.WithoutPgoId);
        double ratio = ours.Best / FloorNanoseconds;
        return new Goal(number, what, "none", $"{Text(ratio)} × floor", $"{ours.Bytes} B", null);
    }

    private Goal Published(string number, string what, string method, string baseline)
    {
        (HitResult ours, HitResult bare) = (Hit(method), Hit(baseline));
        return new Goal(number, what, "none", $"{Text(ours.Best / bare.Best)} ×", $"{ours.Bytes:N0} B : {bare.Bytes:N0} B", null);
    }

    private Goal Faster(string number, string peer, string method, double least)
    {
        (HitResult ours, HitResult theirs) = (Hit(nameof(OursAndFloor.GetAsync)), Hit(method));
        double ratio = theirs.Best / ours.Best;
        return new Goal(number, $"hit, ours against {peer}", $"≥ {Text(least)} × faster, 0 B", $"{Text(ratio)} × faster", $"{ours.Bytes:N0} B : {theirs.Bytes:N0} B", ratio >= least && ours.Bytes == 0);
    }

    private Goal Threads()
    {
        double floor = threads.First(path => path.Path == ThreadScaling.Floor).Ratio;
        double ours = threads.First(path => path.Path == ThreadScaling.Ours).Ratio;
        return new Goal("7", "two threads against one", "≥ 0.9 × the floor's 2:1", $"{Text(ours)} against {Text(floor)}: {Text(ours / floor)} ×", "", ours / floor >= 0.9);
    }

    private Goal Adapter(string what, string method)
    {
        HitResult adapter = Hit(method);
        double ratio = adapter.Best / Hit(nameof(OursAndFloor.GetAsync)).Best;
        return new Goal("A1", what, "≤ 5 × the bare provider, 0 B", $"{Text(ratio)} × the bare provider", $"{adapter.Bytes} B", ratio <= 5 && adapter.Bytes == 0);
    }

    private Goal FasterThanAzureIdentity(string method, string form)
    {
        HitResult theirs = Hit(nameof(SdkPeers.AzureClientAssertion));
        double ratio = theirs.Best / Hit(method).Best;
        return new Goal("A2", $"hit, our `{form}` against Azure.Identity `ClientAssertionCredential`", "≥ 100 × faster", $"{Text(ratio)} × faster", $"{Hit(method).Bytes} B : {theirs.Bytes:N0} B", ratio >= 100);
    }

    private Goal Pipelines()
    {
        (HitResult ours, HitResult theirs) = (Hit(nameof(AzureAdapters.PolicyInPipeline)), Hit(nameof(AzureAdapters.BearerPolicyInPipeline)));
        return new Goal("–", "a request through a pipeline, `AddCredential` against Azure.Core's policy", "none", $"{Text(ours.Best / theirs.Best)} ×", $"{ours.Bytes:N0} B : {theirs.Bytes:N0} B", null);
    }

    private IEnumerable<Goal> Stampedes(string number, string dueNumber, string peer, string form) =>
    [
        Stampede(number, $"1,000 callers, cold{form}", peer, StampedeMoment.Cold),
        Stampede(number, $"1,000 callers, after expiry{form}", peer, StampedeMoment.Expired),
        Stampede(dueNumber, $"1,000 callers, refresh due{form}", peer, StampedeMoment.RefreshDue),
    ];

    private Goal Stampede(string number, string what, string peer, StampedeMoment moment)
    {
        StampedeResult ours = stampede.First(result => result.Peer == peer && result.Moment == moment);
        bool due = moment == StampedeMoment.RefreshDue;
        bool met = ours.Calls == 1 && ours.Failed == 0 && (!due || ours.Held == 0);
        return new Goal(number, what, due ? "1 STS call, 0 held" : "exactly 1 STS call", due ? $"{ours.Calls} call, {ours.Held} held" : $"{ours.Calls} call", "", met);
    }

    // The first thousand begin an exchange, and so do those who come when a back-off has passed; who comes within one begins nothing. Fewer calls would say that nothing was tried.
    // Each thousand is judged: the sum would be the same if one within a back-off began an exchange, and one after it none.
    private Goal RefreshFails()
    {
        StampedeResult? ours = stampede.FirstOrDefault(result => result.Peer == OurPeer.Title && result.Moment == StampedeMoment.RefreshDueAndStaysDown);
        if (ours?.CallsOfWaves is not { } waves)
            throw Older("counts what each thousand of a stampede comes to while its issuer stays down");
        int exchanges = 1 + OurPeer.LongestBackoffs.Count;
        bool asWanted = waves.SequenceEqual(Enumerable.Range(0, exchanges).SelectMany(_ => (int[])[OurPeer.TriesOfAnExchange, 0]));
        string calls = asWanted ? $"{ours.Calls} calls" : $"{string.Join(" + ", waves)} calls";
        return new Goal("10", $"1,000 callers, refresh due, issuer down, and 1,000 more within and after each of {OurPeer.LongestBackoffs.Count} back-offs", $"0 failed, 0 held, exactly {exchanges} × {OurPeer.TriesOfAnExchange} STS calls", $"{ours.Failed} failed, {ours.Held} held, {calls}", "", asWanted && ours is { Failed: 0, Held: 0 });
    }

    private Goal WholeExchangeTime(string number, string method, string what, double? most)
    {
        double ratio = Hit(method).Best / Hit(nameof(WholeExchange.Plain)).Best;
        return new Goal(number, what, most is null ? "none" : $"≤ {most} ×", $"{Text(ratio)} ×", "", most is null ? null : ratio <= most);
    }

    private Goal WholeExchangeBytes()
    {
        (HitResult ours, HitResult plain) = (Hit(nameof(WholeExchange.Ours)), Hit(nameof(WholeExchange.Plain)));
        double ratio = (double)ours.Bytes / plain.Bytes;
        return new Goal("17", "the same in bytes", "≤ 2.5 ×", $"{Text(ratio)} ×", $"{ours.Bytes:N0} B : {plain.Bytes:N0} B", ratio <= 2.5);
    }

    private Goal WholeExchangeAgainstMsal()
    {
        (HitResult ours, HitResult msal) = (Hit(nameof(WholeExchange.Ours)), Hit(nameof(WholeExchange.MsalForced)));
        double ratio = msal.Best / ours.Best;
        return new Goal("17", "whole exchange, against MSAL's forced refresh", "≥ 4 × faster", ratio >= 1 ? $"{Text(ratio)} × faster" : $"{Text(1 / ratio)} × slower", $"{ours.Bytes:N0} B : {msal.Bytes:N0} B", ratio >= 4);
    }

    private IEnumerable<Goal> ManyKeys()
    {
        if (manyKeys.Count == 0)
            yield break;
        ManyKeysResult Store(string part) => manyKeys.First(result => result.Store.Contains(part, StringComparison.Ordinal));
        (ManyKeysResult ours, ManyKeysResult bare, ManyKeysResult memory, ManyKeysResult msal) = (Store(ManyKeysRun.Ours), Store(ManyKeysRun.Bare), Store("IMemory"), Store("MSAL"));
        double bytes = ours.BytesPerKey;
        yield return new Goal("11", "memory per key at 100,000 keys", "≤ 300 B, ≤ 1/6 of MSAL", $"1/{Text(msal.BytesPerKey / bytes)} of MSAL", $"{bytes:F0} B a key", bytes <= 300 && msal.BytesPerKey / bytes >= 6);
        double whole = bytes + ours.KeyObjectBytes;
        yield return new Goal("11", "the same with the request, the object that is our key", "≤ 300 B, ≤ 1/6 of MSAL", $"1/{Text(msal.BytesPerKey / whole)} of MSAL", $"{whole:F0} B a key", whole <= 300 && whole * 6 <= msal.BytesPerKey);
        double toBare = ours.HitNanoseconds / bare.HitNanoseconds;
        double toMemory = ours.HitNanoseconds / memory.HitNanoseconds;
        yield return new Goal("12", "random hit among 100,000 keys, against the bare dictionary", "≤ 1.4 ×", $"{Text(toBare)} ×", "", toBare <= 1.4);
        yield return new Goal("12", "the same, against `IMemoryCache`", "≤ 0.75 ×", $"{Text(toMemory)} ×", "", toMemory <= 0.75);
        yield return new Goal("–", "the same with a new request each time, against the bare dictionary", "none", $"{Text(Store(ManyKeysRun.NewRequests).HitNanoseconds / bare.HitNanoseconds)} ×", "", null);
    }

    private static string Text(double ratio) => ratio.ToString(ratio >= 100 ? "N0" : ratio >= 10 ? "0.0" : "0.0#", CultureInfo.InvariantCulture);
}
