using System.Collections.ObjectModel;

namespace Nhi.TokenExchange;

/// <summary>Where the events of a session are recorded.</summary>
/// <param name="Required">What an exchange waits for.</param>
/// <param name="BestEffort">What nobody waits for.</param>
/// <param name="Folder">Where each session writes files of its own; null: nowhere.</param>
/// <param name="Collector">What they are sent to; null: nothing.</param>
/// <param name="Claims">The claims of a proof that its events name.</param>
internal sealed record AuditPlan(IReadOnlyList<IAuditSink> Required, IReadOnlyList<IAuditSink> BestEffort, AuditFolderPlan? Folder, AuditCollectorPlan? Collector, IReadOnlyList<string> Claims)
{
    /// <summary>Whether something of it may be lost while the job goes on: on its way to a collector, or because nobody waits for it.</summary>
    public bool MayLose => Collector is not null || BestEffort.Count > 0 || Folder is { IsRequired: false };

    /// <summary>Whether the log is told of each event, because it has to record.</summary>
    public bool IsInLog => Required.Any(sink => sink is LoggerAuditSink { IsGiven: true });

    /// <summary>Those of a proof that it has.</summary>
    public IReadOnlyDictionary<string, string> ClaimsOf(AttestedProof? proof)
    {
        if (proof is null || Claims.Count == 0)
            return ReadOnlyDictionary<string, string>.Empty;
        var told = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string name in Claims)
        {
            if (proof.Claims.TryGetValue(name, out string? value))
                told.Add(name, value);
        }
        return told;
    }
}
