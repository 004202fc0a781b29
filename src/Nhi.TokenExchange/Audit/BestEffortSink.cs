using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>Gives events to a sink that nobody waits for. It is told of them in their order, some at a time; while it is behind by more than the queue holds, or fails, they are dropped: counted, and said to the log, at most once a minute and at the end.</summary>
/// <remarks>It is called on a thread of its own: one that blocks who calls it, instead of awaiting, holds up nobody else.</remarks>
internal sealed class BestEffortSink
{
    private const int MostWaiting = 1 << 14;
    private const int MostAtOnce = 64;
    private static readonly TimeSpan SaidAgainAfter = TimeSpan.FromMinutes(1);

    private readonly IAuditSink _sink;
    private readonly SessionPlan _plan;
    private readonly TimeSpan? _bound;
    private readonly Channel<AuditEvent> _waiting;
    private readonly Task _loop;
    private readonly Tally _unsaid = new();
    private string _why = "";
    private Saying? _last;

    /// <param name="sink">The sink.</param>
    /// <param name="plan">The session's.</param>
    /// <param name="bound">How long one event may take it; null: as long as it likes.</param>
    /// <param name="mostWaiting">How many events wait for it.</param>
    public BestEffortSink(IAuditSink sink, SessionPlan plan, TimeSpan? bound, int mostWaiting = MostWaiting)
    {
        (_sink, _plan, _bound) = (sink, plan, bound);
        _waiting = Channel.CreateBounded<AuditEvent>(new BoundedChannelOptions(mostWaiting) { SingleReader = true, AllowSynchronousContinuations = true });   // the thread is woken by who writes
        _loop = OwnThread.Run(Run);
    }

    /// <summary>The sink, and why it did not take the last event that it was to be told of; null: it took it.</summary>
    public string? Failing { get; private set; }

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

    private void Run()
    {
        var batch = new List<Task>();
        while (Blocking.Wait(_waiting.Reader.WaitToReadAsync().AsTask()))
        {
            while (batch.Count < MostAtOnce && _waiting.Reader.TryRead(out AuditEvent? one))
                batch.Add(WriteAsync(one));
            Blocking.Wait(Task.WhenAll(batch));
            batch.Clear();
        }
        Say();
    }

    private async Task WriteAsync(AuditEvent auditEvent)
    {
        try
        {
            ValueTask writing = _sink.WriteAsync(auditEvent, CancellationToken.None);
            if (!writing.IsCompletedSuccessfully)
                await BoundedAsync(writing.AsTask()).ConfigureAwait(false);
            Failing = null;
        }
        catch (Exception failed)   // nothing depends on its record
        {
            Drop(auditEvent, (failed as TokenExchangeException)?.Code ?? failed.GetType().Name);
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
        _unsaid.Add();
        (_why, Failing) = (why, $"{_sink.GetType().Name}: {why}");
        if (_last is not { } last || _plan.Time.GetElapsedTime(last.At) >= SaidAgainAfter)
            Say();
    }

    // Two who drop at once may both say something: each event is counted in one of the lines.
    private void Say()
    {
        if (_unsaid.Take() is not (> 0 and var count))
            return;
        string why = _why;
        _last = new Saying(_plan.Time.GetTimestamp());
        _plan.Log.SayLater(log => log.AuditDropped(_plan.Job, count, _sink.GetType().Name, why));   // a log that hangs must not hold up the sink
    }

    private sealed record Saying(long At);
}
