namespace Nhi.TokenExchange;

/// <summary>A target as it was declared, in code or in a section.</summary>
/// <param name="Path">Where, for errors.</param>
/// <param name="Name">Its name.</param>
/// <param name="Exchanger">Null if a section named it wrongly, which is noted already.</param>
/// <param name="Options">What was said of it.</param>
/// <param name="IsProofSaid">Whether an error about its identity is noted already.</param>
internal sealed record TargetEntry(string Path, string Name, TokenExchanger? Exchanger, TargetOptions Options, bool IsProofSaid = false);
