namespace Nhi.TokenExchange;

/// <summary>What a thousand callers did to one cache.</summary>
/// <param name="Peer">The row.</param>
/// <param name="Moment">When they came.</param>
/// <param name="Calls">What the issuer counted until all callers had come back.</param>
/// <param name="Held">Callers that were still waiting when all was quiet and the issuer's gate was still shut.</param>
/// <param name="Failed">Callers that got no token: an exception, or a cancellation.</param>
public sealed record StampedeResult(string Peer, StampedeMoment Moment, int Calls, int Held, int Failed);
