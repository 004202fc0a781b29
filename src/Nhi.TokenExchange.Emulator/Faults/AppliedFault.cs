namespace Nhi.TokenExchange;

/// <summary>A fault that a request met.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="RequestNumber">The request's number at that endpoint, from 1.</param>
/// <param name="Name">The fault's name.</param>
public sealed record AppliedFault(EmulatorEndpoint Endpoint, int RequestNumber, string Name);
