using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>All that a job session is made of, checked and frozen. Targets stand before those that go through them.</summary>
internal sealed record SessionPlan(
    JobContext Job,
    IReadOnlyList<TargetPlan> Targets,
    IAccessPolicy Policy,
    IAuditSink Audit,
    TimeProvider Time,
    Func<double> Jitter,
    ILogger Logger,
    bool EndOnSignals,
    TimeSpan EndWithin,
    Func<HttpMessageHandler>? Transport,
    AdditionalRoots? Roots,
    IReadOnlyList<object> Owned);
