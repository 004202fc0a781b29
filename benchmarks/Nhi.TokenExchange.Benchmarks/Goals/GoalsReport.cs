namespace Nhi.TokenExchange;

/// <summary>All that one run of the goals found.</summary>
public sealed record GoalsReport(
    DateTimeOffset Date,
    string Machine,
    IReadOnlyDictionary<string, string> Packages,
    IReadOnlyList<Goal> Goals,
    IReadOnlyList<HitResult> Hits,
    IReadOnlyList<StampedeResult> Stampede,
    IReadOnlyList<ThreadScalingResult> Threads,
    IReadOnlyList<ManyKeysResult> ManyKeys);
