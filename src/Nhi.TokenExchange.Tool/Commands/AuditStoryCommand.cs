using System.CommandLine;

namespace Nhi.TokenExchange;

/// <summary><c>nhi audit story</c>.</summary>
internal static class AuditStoryCommand
{
    public static Command Make(Screen screen)
    {
        Argument<string> path = AuditCommand.PathArgument();
        Option<string[]> anchors = AuditCommand.AnchorOption();
        Option<bool> movedAway = AuditCommand.MovedAwayOption();
        var pipeline = new Option<string?>("--pipeline") { Description = "Only jobs of this pipeline." };
        var run = new Option<string?>("--run") { Description = "Only jobs of this run." };
        var target = new Option<string?>("--target", "-t") { Description = "Only what concerns this target." };
        var session = new Option<Guid?>("--session")
        {
            Description = "Only this session, by its id.",
            CustomParser = OptionForms.Of<Guid?>(text => Guid.TryParse(text, out Guid id) ? id : null, text => $"'{text}' is not the id of a session. Write it as the audit has it, such as 37d3619e-73fe-4885-ae8b-3b34c579922e."),
        };
        var command = new Command("story", """
            Tells what happened, a line an event in the order of its record, with the time since the job's start when it happened. Before it, on the standard error, stands whether the trail holds that tells it; one that does not fails, as in audit verify.

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
            AuditTrail trail = await AuditCommand.VerifyAsync(screen, ofPath, ofAnchors, cancellationToken).ConfigureAwait(false);
            await AuditCommand.TellWhetherItHoldsAsync(screen, trail).ConfigureAwait(false);
            if (AuditCommand.IsNoTrail(trail))
                await AuditCommand.TellOfNoTrailAsync(screen, ofPath, "").ConfigureAwait(false);
            var story = new AuditTimeline(screen.Output, one =>
                (ofPipeline is null || one.Job.Pipeline == ofPipeline) && (ofRun is null || one.Job.Run == ofRun)
                && (ofTarget is null || one.Target == ofTarget || one.Target.Length == 0) && (ofSession is null || one.SessionId == ofSession || (one.FlightId != Guid.Empty && one.FlightSession == ofSession)));
            // Read once more instead of held: a trail may be larger than the memory.
            AuditTrail told = await Task.Run(() => AuditTrail.Verify(ofPath, ofAnchors, story.Add, cancellationToken), cancellationToken).ConfigureAwait(false);
            if (trail.IsIntact && !told.IsIntact)
                await AuditCommand.TellWhetherItHoldsAsync(screen, told).ConfigureAwait(false);
            return AuditCommand.Holds(trail, line.GetValue(movedAway)) && AuditCommand.Holds(told, line.GetValue(movedAway)) ? ExitCodes.Ok : ExitCodes.Audit;
        });
        return command;
    }
}
