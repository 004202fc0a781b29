using System.CommandLine;
using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary><c>nhi audit</c>: verifies trails, and tells their stories.</summary>
internal static class AuditCommand
{
    // Somebody who waits sees that it goes on; more often is only flicker.
    private const int ProgressEvery = 5000;

    public static Command Make(Screen screen) => new("audit", "Verifies audit trails, and tells their stories.") { MakeVerify(screen), MakeStory(screen) };

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

    private static Command MakeStory(Screen screen)
    {
        Argument<string> path = PathArgument();
        Option<string[]> anchors = AnchorOption();
        Option<bool> movedAway = MovedAwayOption();
        var pipeline = new Option<string?>("--pipeline") { Description = "Only jobs of this pipeline." };
        var run = new Option<string?>("--run") { Description = "Only jobs of this run." };
        var target = new Option<string?>("--target", "-t") { Description = "Only what concerns this target." };
        var session = new Option<Guid?>("--session")
        {
            Description = "Only this session, by its id.",
            CustomParser = OptionForms.Of<Guid?>(text => Guid.TryParse(text, out Guid id) ? id : null, text => $"'{text}' is not the id of a session. Write it as the audit has it, such as 37d3619e-73fe-4885-ae8b-3b34c579922e."),
        };
        var command = new Command("story", """
            Tells what happened, a line an event, with the time since the job's start. Before it, on the standard error, stands whether the trail holds that tells it; one that does not fails, as in audit verify.

            Examples:
              nhi audit story /var/log/orders --pipeline orders-nightly
              nhi audit story /var/log/orders --run 4711 --target warehouse --anchor "$(cat anchor)"
            """) { path, anchors, pipeline, run, target, session, movedAway };
        command.SetAction(async (line, cancellationToken) =>
        {
            string ofPath = line.GetRequiredValue(path);
            string[] ofAnchors = line.GetRequiredValue(anchors);
            string? ofPipeline = line.GetValue(pipeline), ofRun = line.GetValue(run), ofTarget = line.GetValue(target);
            Guid? ofSession = line.GetValue(session);
            AuditTrail trail = await VerifyAsync(screen, ofPath, ofAnchors, cancellationToken).ConfigureAwait(false);
            await TellWhetherItHoldsAsync(screen, trail).ConfigureAwait(false);
            if (IsNoTrail(trail))
                await TellOfNoTrailAsync(screen, ofPath, "").ConfigureAwait(false);
            var story = new AuditTimeline(screen.Output, one =>
                (ofPipeline is null || one.Job.Pipeline == ofPipeline) && (ofRun is null || one.Job.Run == ofRun)
                && (ofTarget is null || one.Target == ofTarget || one.Target.Length == 0) && (ofSession is null || one.SessionId == ofSession));
            // Read once more instead of held: a trail may be larger than the memory.
            AuditTrail told = await Task.Run(() => AuditTrail.Verify(ofPath, ofAnchors, story.Add, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (trail.IsIntact && !told.IsIntact)
                await TellWhetherItHoldsAsync(screen, told).ConfigureAwait(false);
            return Holds(trail, line.GetValue(movedAway)) && Holds(told, line.GetValue(movedAway)) ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }

    private static Task TellWhetherItHoldsAsync(Screen screen, AuditTrail trail) => screen.Error.WriteLineAsync(trail.IsIntact ? trail.Verdict : trail.ToString());

    private static bool Holds(AuditTrail trail, bool isMovedAway) => trail.IsIntact && !IsNoTrail(trail) && (isMovedAway || trail.Chains.All(chain => chain.FirstPart == 1));

    private static bool IsNoTrail(AuditTrail trail) => trail.IsIntact && trail.Chains.Count == 0;

    private static Task TellOfNoTrailAsync(Screen screen, string path, string more) =>
        screen.Error.WriteLineAsync($"'{ExceptionText.Clean(path, 300)}' has no file *.audit.jsonl. Name the folder that the audit is written to, and see that its disk is mounted.{more}");

    private static Argument<string> PathArgument() => new("path") { Description = "The folder of the audit, one of its files, or a copy." };

    private static Option<string[]> AnchorOption() => new("--anchor")
    {
        Description = "An anchor that the log or a job's report has, chain:seq:hash; may be given several times. Only an anchor shows that nothing was cut off or computed anew.", DefaultValueFactory = _ => [],
    };

    private static Option<bool> MovedAwayOption() => new("--moved-away") { Description = "A chain without its first parts is no failure if an anchor vouches for them: they were moved away." };

    private static Task<AuditTrail> VerifyAsync(Screen screen, string path, string[] anchors, CancellationToken cancellationToken)
    {
        if (path.Length == 0)
            throw new UsageException("path: is empty. Name the folder that the audit is written to.");
        if (Array.Find(anchors, anchor => AuditAnchor.TryParse(anchor) is null) is { } wrong)
            throw new UsageException($"--anchor: {AuditAnchor.FaultOf(wrong)}");
        return screen.WhileAsync("reading", progress => Task.Run(() =>
        {
            long read = 0;
            return AuditTrail.Verify(path, anchors, _ =>
            {
                if (++read % ProgressEvery == 0)
                    progress(string.Create(CultureInfo.InvariantCulture, $"{read} events"));
            }, cancellationToken);
        }, cancellationToken));
    }
}
