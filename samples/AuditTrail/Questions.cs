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
        TellWhatAKillLeft(summary, TimeProvider.System.GetUtcNow());
        TellLives(summary);
        TellRules(summary);
    }

    private static void TellTheStory(string folder)
    {
        #region story
        var story = new AuditTimeline(Console.Out, told => told.Job.Pipeline == "orders-nightly");
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
        foreach (AuditEvent told in summary.NotEnded.Select(record => record.Event).Where(told => told.Kind == AuditEventKind.Orphaned))
            Console.WriteLine($"{told.Target} {told.Fingerprint}: its job let it go at {told.At:u}, it dies at {told.DiesAt:u}");
        #endregion
    }

    private static void TellWhatAKillLeft(AuditSummary summary, DateTimeOffset now)
    {
        #region left
        foreach (AuditEvent told in summary.NotEnded.Select(record => record.Event).Where(told => told.Kind != AuditEventKind.Orphaned && told.DiesAt > now))
            Console.WriteLine($"{told.Target} {told.Fingerprint}: nothing says its end; its job runs, or was killed and not recovered yet. It dies at {told.DiesAt:u}");
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
