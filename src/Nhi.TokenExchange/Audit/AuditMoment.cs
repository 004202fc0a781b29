namespace Nhi.TokenExchange;

/// <summary>When something happened, by both clocks, and in which session. Both are read at once: a record that is made later says when it happened, not when it was written.</summary>
/// <param name="SessionId">The session that tells it.</param>
/// <param name="At">By the wall clock.</param>
/// <param name="Elapsed">By the monotonic clock, since that session's start.</param>
internal readonly record struct AuditMoment(Guid SessionId, DateTimeOffset At, TimeSpan Elapsed);
