namespace Nhi.TokenExchange;

/// <summary>What exchanges cost with one kind of audit.</summary>
/// <param name="Sink">Where the events went.</param>
/// <param name="Cores">How many cores the process could use.</param>
/// <param name="AtOnce">How many exchanges were begun at once, and waited for, before the next were.</param>
/// <param name="Grants">How many there were.</param>
/// <param name="PerSecond">Exchanges a second.</param>
/// <param name="MedianMicroseconds">The median of the times that a caller waited.</param>
/// <param name="P99Microseconds">The time that 99 of 100 callers did not exceed.</param>
/// <param name="FlushesPerGrant">Flushes of the disk, for each exchange; 0 where nothing is flushed.</param>
public sealed record AuditedGrantsResult(string Sink, int Cores, int AtOnce, int Grants, double PerSecond, double MedianMicroseconds, double P99Microseconds, double FlushesPerGrant);
