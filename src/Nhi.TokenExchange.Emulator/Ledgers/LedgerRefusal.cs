namespace Nhi.TokenExchange;

/// <summary>One request that an endpoint refused.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="At">The instant, on the emulator's clock.</param>
/// <param name="ClientId">The client that the request named; null when it named none.</param>
/// <param name="Error">The OAuth error code of the answer.</param>
/// <param name="Reason">The name of the check that said no, such as <c>subject_mismatch</c>.</param>
/// <param name="RequestId">The correlation id that the answer carried.</param>
public sealed record LedgerRefusal(EmulatorEndpoint Endpoint, DateTimeOffset At, string? ClientId, string Error, string Reason, string RequestId);
