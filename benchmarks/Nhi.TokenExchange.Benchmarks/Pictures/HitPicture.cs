using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What one hit costs: the floor, ours, the SDKs and the general caches.</summary>
public static class HitPicture
{
    // Other questions than "a token that is in the cache, once".
    private static readonly string[] Left =
    [
        nameof(OursAndFloor.GetAsyncByName), nameof(OursAndFloor.Awaited), nameof(AzureAdapters.PolicyInPipeline), nameof(AzureAdapters.BearerPolicyInPipeline), nameof(HttpClients.OursInHttpClient), nameof(HttpClients.BareHttpClient),
        nameof(WholeExchange.Plain), nameof(WholeExchange.PlainOnThePool), nameof(WholeExchange.Ours), nameof(WholeExchange.ExchangeAlone), nameof(WholeExchange.MsalForced), nameof(WholeExchange.AzureIdentityNew),
    ];

    public static string Draw(IReadOnlyList<HitResult> hits)
    {
        IEnumerable<HitResult> rows = hits
            .Where(hit => hit.Job == BenchmarkConfigs.ShortId && !Left.Contains(hit.Method))
            .OrderBy(hit => hit.Best);
        return new BarChart(
            "One hit: what it costs to be given a token that is in the cache",
            "Nanoseconds and bytes allocated for each call, best iteration; each line is ten times the one before.",
            least: 1,
            [.. rows.Select(BarOf)]).ToSvg();
    }

    private static Bar BarOf(HitResult hit)
    {
        string nanoseconds = hit.Best.ToString(hit.Best < 100 ? "N1" : "N0", CultureInfo.InvariantCulture);
        return new Bar(hit.Description, hit.Best, string.Create(CultureInfo.InvariantCulture, $"{nanoseconds} ns, {hit.Bytes:N0} B"), ColorOf(hit.Description));
    }

    private static string ColorOf(string description) =>
        description.StartsWith("floor", StringComparison.Ordinal) ? Bar.Floor : description.StartsWith("ours", StringComparison.Ordinal) ? Bar.Ours : Bar.Peer;
}
