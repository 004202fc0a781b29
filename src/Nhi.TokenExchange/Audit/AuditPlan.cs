namespace Nhi.TokenExchange;

/// <summary>Where the events of a session are recorded.</summary>
/// <param name="Required">What an exchange waits for.</param>
/// <param name="BestEffort">What nobody waits for.</param>
/// <param name="Folder">Where each session writes files of its own; null: nowhere.</param>
/// <param name="Collector">What they are sent to; null: nothing.</param>
internal sealed record AuditPlan(IReadOnlyList<IAuditSink> Required, IReadOnlyList<IAuditSink> BestEffort, AuditFolderPlan? Folder, AuditCollectorPlan? Collector);
