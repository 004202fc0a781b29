using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>What the writer of a chain has to say outside of its files: to the log, and the anchors to the trace, too. Said in order, and beside the writer: a log that blocks who calls it keeps nothing from being recorded.</summary>
internal sealed class AuditSayings(JobContext job, TimeProvider time, ILogger logger)
{
    private Task _said = Task.CompletedTask;
    private bool _isLeftOut;   // for what is said alone

    /// <summary>The anchor that was said last, or is about to be: <c>chain:seq:hash</c>. Null: none was.</summary>
    public string? LastAnchor { get; private set; }

    /// <summary>Says it after what was to be said before. Called by the writer alone.</summary>
    public void Say(Action<ILogger> say) =>
        _said = _said.ContinueWith(_ => Quietly.Do(() => say(logger)), CancellationToken.None, TaskContinuationOptions.DenyChildAttach, TaskScheduler.Default);

    /// <summary>Says the head of the chain where nobody who may write its files can change it.</summary>
    public void SayAnchor(string anchor, string why)
    {
        LastAnchor = anchor;
        DateTimeOffset at = time.GetUtcNow();
        Say(log =>
        {
            Quietly.Do(() => Trace(anchor, at));
            log.AuditAnchor(job, anchor, why);
            bool isLeftOut = !log.IsEnabled(LogLevel.Information);
            if (isLeftOut && !_isLeftOut)
                log.AuditAnchorsLeftOut(job, ErrorCodes.AuditLogLeavesOut);
            _isLeftOut = isLeftOut;
        });
    }

    /// <summary>Completes when all is said, or waits in the log's own queue.</summary>
    public Task AllSaidAsync() => _said;

    /// <summary>Says an anchor in a trace of its own: it is of no flight.</summary>
    public static void Trace(string anchor, DateTimeOffset at)
    {
        using Activity? activity = ExchangeActivities.Source.HasListeners()
            ? ExchangeActivities.Source.StartActivity(TelemetryNames.Anchor, ActivityKind.Internal, default(ActivityContext), [new(TelemetryNames.AnchorTag, anchor)], null, at) : null;
        activity?.SetEndTime(at.UtcDateTime);
    }
}
