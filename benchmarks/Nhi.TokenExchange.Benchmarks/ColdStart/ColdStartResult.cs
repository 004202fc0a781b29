namespace Nhi.TokenExchange;

/// <summary>One way from the start of a process to its first token.</summary>
/// <param name="Way">The program's argument.</param>
/// <param name="Compiled">How the program was compiled.</param>
/// <param name="Median">Milliseconds of the whole process, the middle of all rounds.</param>
/// <param name="Least">The shortest round.</param>
/// <param name="Most">The longest round.</param>
public sealed record ColdStartResult(string Way, Compiled Compiled, double Median, double Least, double Most);
