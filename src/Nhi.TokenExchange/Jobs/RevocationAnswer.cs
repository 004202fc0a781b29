using System.Diagnostics;

namespace Nhi.TokenExchange;

/// <summary>What came of asking an issuer to end a credential.</summary>
/// <param name="End">What is true of it.</param>
/// <param name="Failure">Why it did not end; null: there is nothing to say.</param>
/// <param name="Trace">The activity in which it was asked: its record is made in that trace. Default: there was none.</param>
internal readonly record struct RevocationAnswer(LeaseEnd End, string? Failure, ActivityContext Trace = default);
