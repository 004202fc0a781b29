using System.CommandLine;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary><c>nhi audit</c>: verifies trails; and what its other commands share.</summary>
internal static class AuditCommand
{
    // Somebody who waits sees that it goes on; more often is only flicker.
    private const int ProgressEvery = 5000;

    public static Command Make(Screen screen) => new("audit", "Verifies audit trails, tells their stories, and answers what auditors ask.") { MakeVerify(screen), AuditStoryCommand.Make(screen), AuditSummaryCommand.Make(screen) };

    private static Command MakeVerify(Screen screen)
    {
        Argument<string> path = PathArgument();
        Option<string[]> anchors = AnchorOption();
        Option<bool> movedAway = MovedAwayOption();
        var ended = new Option<bool>("--ended") { Description = "Fails if a chain has not ended: its job runs, was killed, or its last lines were cut off." };
        var allowEmpty = new Option<bool>("--allow-empty") { Description = "A folder without a trail is no failure: no job has run yet." };
        var command = new Command("verify", """
            Says whether an audit trail holds: every line, every chain. Changes nothing. A folder without a trail is a failure: its name may be mistyped, its disk not mounted.

            Examples:
              nhi audit verify /var/log/orders
              nhi audit verify /var/log/orders --anchor "$(cat anchor)" --ended
            """) { path, anchors, ended, allowEmpty, movedAway };
        command.SetAction(async (line, cancellationToken) =>
        {
            AuditTrail trail = await VerifyAsync(screen, line.GetRequiredValue(path), line.GetRequiredValue(anchors), cancellationToken).ConfigureAwait(false);
            await screen.Output.WriteLineAsync(trail.ToString()).ConfigureAwait(false);
            if (IsNoTrail(trail))
            {
                if (line.GetValue(allowEmpty))
                    return ExitCodes.Ok;
                await TellOfNoTrailAsync(screen, line.GetRequiredValue(path), " If no job has run yet, --allow-empty says that this is well.").ConfigureAwait(false);
            }
            return Holds(trail, line.GetValue(movedAway)) && (!line.GetValue(ended) || trail.Chains.All(chain => chain.IsEnded)) ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }

    /// <summary>Says whether a trail holds, before what it tells: to the standard error.</summary>
    public static Task TellWhetherItHoldsAsync(Screen screen, AuditTrail trail) => screen.Error.WriteLineAsync(trail.IsIntact ? trail.Verdict : trail.ToString());

    /// <summary>Whether a script may go on.</summary>
    public static bool Holds(AuditTrail trail, bool isMovedAway) => trail.IsIntact && !IsNoTrail(trail) && (isMovedAway || trail.Chains.All(chain => chain.FirstPart == 1));

    public static bool IsNoTrail(AuditTrail trail) => trail.IsIntact && trail.Chains.Count == 0;

    public static Task TellOfNoTrailAsync(Screen screen, string path, string more) =>
        screen.Error.WriteLineAsync($"'{ExceptionText.Clean(path, 300)}' has no file *.audit.jsonl. Name the folder that the audit is written to, and see that its disk is mounted.{more}");

    public static Argument<string> PathArgument() => new("path") { Description = "The folder of the audit, one of its files, or a copy." };

    public static Option<string[]> AnchorOption() => new("--anchor")
    {
        Description = "An anchor that the log or a job's report has, chain:seq:hash; may be given several times. Only an anchor shows that nothing was cut off or computed anew.", DefaultValueFactory = _ => [],
    };

    public static Option<bool> MovedAwayOption() => new("--moved-away") { Description = "A chain without its first parts is no failure if an anchor vouches for them: they were moved away." };

    /// <summary>Reads a trail; who looks at a terminal sees that it goes on.</summary>
    public static Task<AuditTrail> VerifyAsync(Screen screen, string path, string[] anchors, CancellationToken cancellationToken, Action<AuditRecord>? onRecord = null)
    {
        if (path.Length == 0)
            throw new UsageException("path: is empty. Name the folder that the audit is written to.");
        if (Array.Find(anchors, anchor => AuditAnchor.TryParse(anchor) is null) is { } wrong)
            throw new UsageException($"--anchor: {AuditAnchor.FaultOf(wrong)}");
        return screen.WhileAsync("reading", progress => Task.Run(() =>
        {
            long read = 0;
            return AuditTrail.Verify(path, anchors, record =>
            {
                if (++read % ProgressEvery == 0)
                    progress(string.Create(CultureInfo.InvariantCulture, $"{read} events"));
                onRecord?.Invoke(record);
            }, cancellationToken);
        }, cancellationToken));
    }
}
