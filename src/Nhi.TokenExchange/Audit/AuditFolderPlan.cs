namespace Nhi.TokenExchange;

/// <summary>Where and how the files of the audit are written.</summary>
/// <param name="Path">The folder.</param>
/// <param name="IsRequired">Whether an exchange waits for it.</param>
/// <param name="PartBytes">From which size on a file is followed by another.</param>
/// <param name="AnchorEvery">After how many events the head of the chain is said to the log.</param>
/// <param name="Disk">What the files are written by.</param>
internal sealed record AuditFolderPlan(string Path, bool IsRequired, long PartBytes, int AnchorEvery, Disk Disk);
