using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>Gives events to a sink that nobody waits for. It is told of them in their order, some at a time; while it is behind by more than the queue holds, or fails, they are dropped: counted, and said to the log once until it takes one again.</summary>
internal sealed class BestEffortSink
{
    private const int MostWaiting = 1 << 14;
    private const int MostAtOnce = 64;

    private readonly IAuditSink _sink;
    private readonly SessionPlan _plan;
    private readonly TimeSpan? _bound;
    private readonly Channel<AuditEvent> _waiting;
    private readonly Task _loop;
    private bool _isBehind;   // for the log alone: at worst it is told once more

    /// <param name="sink">The sink.</param>
    /// <param name="plan">The session's.</param>
    /// <param name="bound">How long one event may take it; null: as long as it likes.</param>
    /// <param name="mostWaiting">How many events wait for it.</param>
    public BestEffortSink(IAuditSink sink, SessionPlan plan, TimeSpan? bound, int mostWaiting = MostWaiting)
    {
        (_sink, _plan, _bound) = (sink, plan, bound);
        _waiting = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(mostWaiting) { SingleReader = true });
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Takes an event, or drops it. Never waits, never throws.</summary>
    public void Offer(AuditEvent auditEvent)
    {
        if (!_waiting.Writer.TryWrite(auditEvent))
            Drop(auditEvent, "it is behind");
    }

    /// <summary>Completes when the sink was told of all.</summary>
    public Task EndAsync()
    {
        _waiting.Writer.TryComplete();
        return _loop;
    }

    private async Task RunAsync()
    {
        var batch = new List<Task>();
        while (await _waiting.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MostAtOnce && _waiting.Reader.TryRead(out AuditEvent? one))
                batch.Add(WriteAsync(one));
            await Task.WhenAll(batch).ConfigureAwait(false);
            batch.Clear();
        }
    }

    private async Task WriteAsync(AuditEvent auditEvent)
    {
        try
        {
            ValueTask writing = _sink.WriteAsync(auditEvent, CancellationToken.None);
            if (!writing.IsCompletedSuccessfully)
                await BoundedAsync(writing.AsTask()).ConfigureAwait(false);
            _isBehind = false;
        }
        catch (Exception failed)   // nothing depends on its record
        {
            Drop(auditEvent, failed.GetType().Name);
        }
    }

    private async Task BoundedAsync(Task writing)
    {
        try
        {
            await (_bound is { } bound ? writing.WaitAsync(bound, _plan.Time) : writing).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            writing.Forget();
            throw;
        }
    }

    private void Drop(AuditEvent auditEvent, string why)
    {
        Quietly.Do(() => _plan.Meter.AuditDropped.Add(1, new KeyValuePair<string, object?>(TelemetryNames.TargetTag, auditEvent.Target)));
        if (_isBehind)
            return;
        _isBehind = true;
        _plan.Logger.AuditDropped(_plan.Job, _sink.GetType().Name, why);
    }
}
