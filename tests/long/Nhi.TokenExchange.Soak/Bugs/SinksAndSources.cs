using System.Collections.Concurrent;
using System.Text;

namespace Nhi.TokenExchange.Soak;

internal sealed class LossySink(IAuditSink inner) : IAuditSink
{
    private int _issues;

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) =>
        auditEvent.Kind is AuditEventKind.Issued or AuditEventKind.Refreshed && Interlocked.Increment(ref _issues) % 2 == 0 ? default : inner.WriteAsync(auditEvent, cancellationToken);
}

/// <summary>Records one intent of each target of a job.</summary>
internal sealed class FirstIntentSink(IAuditSink inner) : IAuditSink
{
    private readonly ConcurrentDictionary<(string?, string), bool> _told = new();

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken) =>
        auditEvent.Kind == AuditEventKind.Exchanging && !_told.TryAdd((auditEvent.Job.Run, auditEvent.Target), true) ? default : inner.WriteAsync(auditEvent, cancellationToken);
}

/// <summary>Tells of every revocation twice.</summary>
internal sealed class EchoingSink(IAuditSink inner) : IAuditSink
{
    public async ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        await inner.WriteAsync(auditEvent, cancellationToken);
        if (auditEvent.Kind == AuditEventKind.Revoked)
            await inner.WriteAsync(auditEvent, cancellationToken);
    }
}

internal sealed class LateSink(IAuditSink inner) : IAuditSink
{
    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        if (auditEvent.Kind is not (AuditEventKind.Issued or AuditEventKind.Refreshed))
            return inner.WriteAsync(auditEvent, cancellationToken);
        _ = Task.Run(
            async () =>
            {
                await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, CancellationToken.None);
                await inner.WriteAsync(auditEvent, CancellationToken.None);
            },
            CancellationToken.None);
        return default;
    }
}

internal sealed class WritingSource(IWorkloadIdentitySource inner, string folder) : IWorkloadIdentitySource
{
    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        SubjectToken token = await inner.GetSubjectTokenAsync(request, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "tmp", $"{token.Fingerprint}.tmp"), token.Reveal(), Encoding.Unicode, cancellationToken);
        return token;
    }
}

internal sealed class LeakingSource(IWorkloadIdentitySource inner, string folder) : IWorkloadIdentitySource
{
    private static readonly List<FileStream> Leaked = [];

    public async ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        lock (Leaked)
            Leaked.Add(new FileStream(Path.Combine(folder, "tmp", "leaked"), FileMode.OpenOrCreate, FileAccess.Read, FileShare.ReadWrite));
        return await inner.GetSubjectTokenAsync(request, cancellationToken);
    }
}
