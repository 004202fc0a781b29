namespace Nhi.TokenExchange;

/// <summary>One way from the start of a process to its first token.</summary>
/// <param name="Way">The program's argument.</param>
/// <param name="Native">Compiled ahead of time, or on the JIT.</param>
/// <param name="Median">Milliseconds of the whole process, the middle of all rounds.</param>
/// <param name="Least">The shortest round.</param>
/// <param name="Most">The longest round.</param>
public sealed record ColdStartResult(string Way, bool Native, double Median, double Least, double Most);
