using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi audit summary</c>.</summary>
internal static class AuditSummaryCommand
{
    public static Command Make(Screen screen)
    {
        Argument<string> path = AuditCommand.PathArgument();
        Option<string[]> anchors = AuditCommand.AnchorOption();
        Option<bool> movedAway = AuditCommand.MovedAwayOption();
        var command = new Command("summary", """
            Answers what auditors ask: which identities serve more than one pipeline, data set or environment, what outlived its job, how long credentials lived against what was allowed, what each rule granted. Whether the trail holds that says so stands on the standard error; one that does not fails, as in audit verify.

            Example:
              nhi audit summary /var/log/orders --anchor "$(cat anchor)"
            """) { path, anchors, movedAway };
        command.SetAction(async (line, cancellationToken) =>
        {
            var summary = new AuditSummary();
            AuditTrail trail = await AuditCommand.VerifyAsync(screen, line.GetRequiredValue(path), line.GetRequiredValue(anchors), cancellationToken, summary.Add).ConfigureAwait(false);
            await AuditCommand.TellWhetherItHoldsAsync(screen, trail).ConfigureAwait(false);
            if (AuditCommand.IsNoTrail(trail))
                await AuditCommand.TellOfNoTrailAsync(screen, line.GetRequiredValue(path), "").ConfigureAwait(false);
            ILookup<bool, AuditRecord> notEnded = summary.NotEnded.ToLookup(last => last.Event.Kind is AuditEventKind.Orphaned or AuditEventKind.Recovered);
            await TellAsync(screen, "shared identities", summary.Identities.Where(one => one.IsShared)).ConfigureAwait(false);
            await TellAsync(screen, "let go, and outlives its job", notEnded[true]).ConfigureAwait(false);
            await TellAsync(screen, "not ended: its job runs, or was killed", notEnded[false]).ConfigureAwait(false);
            await TellAsync(screen, "lives", summary.Lives).ConfigureAwait(false);
            await TellAsync(screen, "rules", summary.Rules).ConfigureAwait(false);
            return AuditCommand.Holds(trail, line.GetValue(movedAway)) ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }

    private static async Task TellAsync(Screen screen, string question, IEnumerable<object> answers)
    {
        bool isAnswered = false;
        foreach (object answer in answers)
        {
            if (!isAnswered)
                await screen.Output.WriteLineAsync($"{question}:").ConfigureAwait(false);
            isAnswered = true;
            await screen.Output.WriteLineAsync($"  {answer}").ConfigureAwait(false);
        }
        if (!isAnswered)
            await screen.Output.WriteLineAsync($"{question}: none").ConfigureAwait(false);
    }
}
