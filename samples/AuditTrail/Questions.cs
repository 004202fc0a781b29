using Nhi.TokenExchange;

namespace Auditor;

/// <summary>What auditors ask, one method each: the C# blocks of docs/controls.md.</summary>
internal static class Questions
{
    public static void AskAll(string folder, AuditSummary summary)
    {
        TellTheStory(folder);
        TellWhoIsShared(summary);
        TellWhatOutlives(summary);
        TellLives(summary);
        TellRules(summary);
    }

    private static void TellTheStory(string folder)
    {
        #region story
        var story = new AuditTimeline(Console.Out);   // of one run alone: told => told.Job.Run == "4711"
        AuditTrail.Verify(folder, onRecord: story.Add);
        #endregion
    }

    private static void TellWhoIsShared(AuditSummary summary)
    {
        #region shared
        foreach (IdentityUse identity in summary.Identities.Where(one => one.IsShared))
            Console.WriteLine(identity);
        #endregion
    }

    private static void TellWhatOutlives(AuditSummary summary)
    {
        #region outlives
        foreach (AuditRecord last in summary.NotEnded.Where(last => last.Event.Kind is AuditEventKind.Orphaned or AuditEventKind.Recovered))
            Console.WriteLine($"let go, and outlives its job: {last}");
        foreach (AuditRecord last in summary.NotEnded.Where(last => last.Event.Kind is not (AuditEventKind.Orphaned or AuditEventKind.Recovered)))
            Console.WriteLine($"not ended: its job runs, or was killed: {last}");
        #endregion
    }

    private static void TellLives(AuditSummary summary)
    {
        #region lives
        foreach (TargetLives target in summary.Lives)
            Console.WriteLine(target);   // longest hand-out and longest life, against what settings and policy allow
        #endregion
    }

    private static void TellRules(AuditSummary summary)
    {
        #region rules
        foreach (RuleUse rule in summary.Rules)
            Console.WriteLine(rule);
        #endregion
    }
}
