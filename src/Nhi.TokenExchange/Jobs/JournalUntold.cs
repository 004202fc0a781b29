namespace Nhi.TokenExchange;

/// <summary>How something in a journal ended that the audit has not taken: nothing is left to do about it but to tell.</summary>
/// <param name="End">What is true of it.</param>
/// <param name="At">When that was found out.</param>
/// <param name="Reason">Why it was to end, and what was said of it; null: it died of age.</param>
internal sealed record JournalUntold(LeaseEnd End, DateTimeOffset At, string? Reason);
