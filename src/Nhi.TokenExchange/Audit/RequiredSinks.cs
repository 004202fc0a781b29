namespace Nhi.TokenExchange;

/// <summary>Several sinks that all have to record: each is told at once, and the slowest is waited for.</summary>
internal sealed class RequiredSinks(IReadOnlyList<IAuditSink> sinks) : IAuditSink
{
    /// <returns>What records all that the sinks do; null if there is none.</returns>
    public static IAuditSink? Of(IReadOnlyList<IAuditSink> sinks) => sinks switch
    {
        [] => null,
        [var one] => one,
        _ => new RequiredSinks(sinks),
    };

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) =>
        new(Task.WhenAll(sinks.Select(sink => WriteAsync(sink, auditEvent, cancellationToken))));

    // One that throws before it gives a task must not keep the event from the others.
    private static async Task WriteAsync(IAuditSink sink, AuditEvent auditEvent, CancellationToken cancellationToken) => await sink.WriteAsync(auditEvent, cancellationToken).ConfigureAwait(false);
}
