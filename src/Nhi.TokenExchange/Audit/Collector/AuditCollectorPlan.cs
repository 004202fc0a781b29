namespace Nhi.TokenExchange;

/// <summary>Where events are sent, and where they wait for it.</summary>
/// <param name="Endpoint">The collector's address, with its query.</param>
/// <param name="Spool">The folder of the spool.</param>
/// <param name="IsRequired">Whether an exchange waits until its events are in the spool.</param>
/// <param name="Target">The target whose credential authenticates; null: nothing does.</param>
/// <param name="Format">How the events of a batch are written.</param>
/// <param name="SpoolBytes">How much the spool may hold, but for what the collector's own credential needs (<see cref="SpoolRoom"/>).</param>
/// <param name="Disk">What its files are written by.</param>
internal sealed record AuditCollectorPlan(Uri Endpoint, string Spool, bool IsRequired, string? Target, AuditCollectorFormat Format, long SpoolBytes, Disk Disk)
{
    private const int MostFiles = 64;

    /// <summary>The targets that <see cref="Target"/> goes through.</summary>
    public IReadOnlyList<string> Hops { get; init; } = [];

    /// <summary>From which size on a file of the spool is followed by another: each that is not sent yet is kept open.</summary>
    public long PartBytes => Math.Max(1L << 20, SpoolBytes / MostFiles);

    /// <summary>Whether the collector's credential can't be got without this target.</summary>
    public bool Needs(string? target) => target is not null && (target == Target || Hops.Contains(target));
}
