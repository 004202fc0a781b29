using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>The trail that the first job left behind: verified, told as a story, and tampered with in a copy.</summary>
internal static class AuditSteps
{
    public static void Tell(Story story, Trust trust)
    {
        story.Step("audit", "all of the first job is in a chain of lines that an auditor verifies and reads");
        var told = new StringWriter();
        var timeline = new AuditTimeline(told, IsOfTheStory);
        AuditTrail trail = AuditTrail.Verify(trust.AuditFolder, onRecord: timeline.Add);
        AuditChain chain = trail.Chains.Single();
        story.Say(trail.ToString());
        story.Say(told.ToString().TrimEnd());
        story.Expect(trail.IsIntact && chain.IsEnded, "the trail is whole");
        story.Expect(trail.OpenIntents.Count == 0, "each exchange has an outcome");

        story.Step("tamper", "in a copy, one letter of one line is another one; in another copy, a line is gone");
        story.Expect(FaultOf(chain, Changed) is { } changed && story.Shows(changed) && changed.Line == Line, $"line {Line} is found");
        story.Expect(FaultOf(chain, TakenOut) is { } takenOut && story.Shows(takenOut) && takenOut.Line == Line, $"the gap at line {Line} is found");
    }

    private const int Line = 5;

    // What an auditor asks first: what was got, and what became of it.
    private static bool IsOfTheStory(AuditEvent one) => one.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed or AuditEventKind.Revoked or AuditEventKind.Orphaned or AuditEventKind.Expired;

    private static string[] Changed(string[] lines) => [.. lines.Select((line, index) => index == Line - 1 ? line.Replace("warehouse", "Warehouse", StringComparison.Ordinal) : line)];

    private static string[] TakenOut(string[] lines) => [.. lines.Where((_, index) => index != Line - 1)];

    private static AuditFinding? FaultOf(AuditChain chain, Func<string[], string[]> tamper)
    {
        DirectoryInfo copy = Directory.CreateTempSubdirectory("nhi-tampered-");
        try
        {
            string file = Path.Combine(copy.FullName, Path.GetFileName(chain.Files[0]));
            File.WriteAllText(file, string.Concat(tamper(File.ReadAllLines(chain.Files[0])).Select(line => line + "\n")));
            return AuditTrail.Verify(copy.FullName).Chains.Single().Fault;
        }
        finally
        {
            copy.Delete(recursive: true);
        }
    }

    private static bool Shows(this Story story, AuditFinding finding)
    {
        story.Say($"{Path.GetFileName(finding.File)}:{finding.Line} {finding.What}");
        return true;
    }
}
