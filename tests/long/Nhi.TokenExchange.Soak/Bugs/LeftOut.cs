namespace Nhi.TokenExchange.Soak;

internal static class LeftOut
{
    /// <summary>All of a report but the first that ended so.</summary>
    public static IReadOnlyList<LeaseOutcome> OneOf(IReadOnlyList<LeaseOutcome> leases, LeaseEnd end) =>
        leases.FirstOrDefault(lease => lease.End == end) is { } one ? [.. leases.Where(lease => lease != one)] : leases;
}
