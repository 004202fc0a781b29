namespace Nhi.TokenExchange;

/// <summary>What a thousand callers did to one cache, or several thousand, one after the other.</summary>
/// <param name="Peer">The row.</param>
/// <param name="Moment">When they came.</param>
/// <param name="Calls">What the issuer counted until all callers had come back.</param>
/// <param name="Held">Callers, of each thousand, that were still waiting when all was quiet and the issuer's gate was still shut.</param>
/// <param name="Failed">Callers that got no token: an exception, or a cancellation.</param>
/// <param name="CallsOfWaves">The calls of each thousand; null in a report that is older than this.</param>
public sealed record StampedeResult(string Peer, StampedeMoment Moment, int Calls, int Held, int Failed, IReadOnlyList<int>? CallsOfWaves = null);
