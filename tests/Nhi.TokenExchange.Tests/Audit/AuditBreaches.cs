using System.Text.Json;

namespace Nhi.TokenExchange.Tests;

/// <summary>Holds the audit of a job against the ledger of its issuer and against what the job said.</summary>
internal static class AuditBreaches
{
    private static readonly string[] Before = ["Attested", "Permitted", "Denied", "Exchanging"];

    /// <param name="issued">What the issuer issued: one scope each, <c>dataset:</c> and the target.</param>
    /// <param name="handedOut">The fingerprints that the job was handed.</param>
    /// <param name="events">The events of its chain.</param>
    /// <returns>What must not be: empty.</returns>
    public static IEnumerable<string> Of(IReadOnlyList<LedgerIssue> issued, IReadOnlyCollection<string> handedOut, IReadOnlyList<JsonElement> events)
    {
        JsonElement[] ours = Ours(events);
        string[] recorded = Fingerprints(ours, "Issued", "Refreshed");
        foreach (IGrouping<string, LedgerIssue> target in issued.GroupBy(one => one.Scope["dataset:".Length..]))
        {
            int intents = ours.Count(one => Text(one, "kind") == "Exchanging" && Text(one, "target") == target.Key), open = OpenIntents(ours).Count(intent => Text(intent, "target") == target.Key);
            // What could not be recorded was revoked, and its intent failed.
            int living = target.Count(one => one.RevokedAt is null && !recorded.Contains(one.Fingerprint));
            if (target.Count() > intents || living > open)
                yield return $"{target.Key}: {target.Count()} issued and {intents} intents; {living} not recorded that live, and {open} intents without an outcome";
        }
        foreach (string one in handedOut.Except(recorded))
            yield return $"{one} was handed out, and no issue is recorded";
        foreach (string one in recorded.Except(issued.Select(issue => issue.Fingerprint)))
            yield return $"{one} is recorded as issued, and was not";
        foreach (string one in Fingerprints(ours, "Revoked").Except(issued.Where(issue => issue.RevokedAt is not null).Select(issue => issue.Fingerprint)))
            yield return $"{one} is recorded as revoked, and was not";
    }

    /// <summary>Intents whose outcome is not recorded.</summary>
    public static IReadOnlyList<JsonElement> OpenIntents(IReadOnlyList<JsonElement> events)
    {
        var told = events.Where(one => !Before.Contains(Text(one, "kind"))).Select(one => Text(one, "flight")).ToHashSet();
        return [.. events.Where(one => Text(one, "kind") == "Exchanging" && !told.Contains(Text(one, "flight")))];
    }

    /// <summary>Of the lines of a chain, what stands under <c>unmapped</c>.</summary>
    public static JsonElement[] Ours(IReadOnlyList<JsonElement> events) => [.. events.Where(one => one.TryGetProperty("unmapped", out _)).Select(one => one.GetProperty("unmapped"))];

    private static string[] Fingerprints(JsonElement[] ours, params string[] kinds) => [.. ours.Where(one => kinds.Contains(Text(one, "kind"))).Select(one => Text(one, "fingerprint")!)];

    private static string? Text(JsonElement one, string name) => one.TryGetProperty(name, out JsonElement text) ? text.GetString() : null;
}
