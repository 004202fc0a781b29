namespace Nhi.TokenExchange;

/// <summary>One use of a token at the protected API, and what came of it.</summary>
/// <param name="Fingerprint">Fingerprint of the presented token; null when there was none.</param>
/// <param name="At">The instant of the use, on the emulator's clock.</param>
/// <param name="Verdict">What the API decided.</param>
/// <param name="Path">The path that was asked for.</param>
/// <param name="RequestId">The correlation id that the answer carried.</param>
public sealed record LedgerUse(string? Fingerprint, DateTimeOffset At, UseVerdict Verdict, string Path, string RequestId);
