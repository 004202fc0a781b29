namespace Nhi.TokenExchange;

/// <summary>A request for a credential that came while another request for the very same credential (client, grant, scope, audience, resource) was in flight at the same endpoint.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="ClientId">The client that the request names; null when it names none.</param>
/// <param name="At">When the later request came, on the emulator's clock.</param>
/// <param name="AtOnce">How many were in flight then, the later one included; at least 2.</param>
public sealed record LedgerOverlap(EmulatorEndpoint Endpoint, string? ClientId, DateTimeOffset At, int AtOnce);
