using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>What a thousand callers of an expired token make of it at the issuer.</summary>
public static class StampedePicture
{
    public static string Draw(IReadOnlyList<StampedeResult> results)
    {
        StampedeResult[] expired = [.. results.Where(result => result.Moment == StampedeMoment.Expired).OrderBy(result => result.Calls)];
        return new BarChart(
            "A stampede: 1,000 callers, and the token has expired",
            "Calls that the issuer counted until all were served; each line is ten times the one before.",
            least: 0.5,
            [.. expired.Select(result => BarOf(result, results))]).ToSvg();
    }

    private static Bar BarOf(StampedeResult expired, IReadOnlyList<StampedeResult> results)
    {
        int held = results.FirstOrDefault(result => result.Peer == expired.Peer && result.Moment == StampedeMoment.RefreshDue)?.Held ?? 0;
        string calls = string.Create(CultureInfo.InvariantCulture, $"{expired.Calls:N0} {(expired.Calls == 1 ? "call" : "calls")}");
        string text = held == 0 ? calls : string.Create(CultureInfo.InvariantCulture, $"{calls}; an early refresh holds {held:N0} callers");
        string label = expired.Peer.Replace("*", "", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal);
        return new Bar(label, expired.Calls, text, label.StartsWith("ours", StringComparison.Ordinal) ? Bar.Ours : Bar.Peer);
    }
}
