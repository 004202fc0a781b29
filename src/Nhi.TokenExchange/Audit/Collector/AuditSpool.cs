using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>What writer and shipper of a spool share: the files that are written no more, how much room there is, and the word that something came.</summary>
/// <remarks>The spool is a folder of files like the audit's own, with another ending: chains of lines, each file locked by its process until it is sent, and then deleted. There is no cursor: what is there is not sent.</remarks>
internal sealed class AuditSpool(AuditCollectorPlan plan, TimeProvider time)
{
    public const string Extension = ".spool.jsonl";

    /// <summary>Of files with what the collector refused: <c>….rejected.jsonl</c>.</summary>
    public const string Rejected = ".rejected.jsonl";

    // The first word after a pause; the rest are the same. The shipper's thread is woken by who writes, not by the pool.
    private readonly Channel<bool> _came = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true, AllowSynchronousContinuations = true });
    private readonly ConcurrentQueue<AuditPart> _left = new();

    /// <summary>How much may be in it, and is.</summary>
    public SpoolRoom Room { get; } = new(plan, time);

    /// <summary>What is told of an event that finds none.</summary>
    public static TokenExchangeException Full() =>
        new(ErrorCodes.AuditSpoolFull, ExchangeStage.Record, "The spool of the audit collector is full.") { IsTransient = true, Hint = "See in the log why the collector does not take its events; what it refused, and was set aside, counts, too." };

    /// <summary>Something is in a file.</summary>
    public void NoteWritten() => _came.Writer.TryWrite(true);

    /// <summary>A file is written no more; whoever takes it closes it.</summary>
    public void Leave(AuditPart part)
    {
        _left.Enqueue(part);
        NoteWritten();
    }

    public bool TryTake(out AuditPart? part) => _left.TryDequeue(out part);

    /// <summary>Waits until something is written.</summary>
    /// <param name="until">When to wait no longer.</param>
    /// <returns>False: nothing will be any more.</returns>
    public bool WaitForMore(CancellationToken until)
    {
        try
        {
            if (!Blocking.Wait(_came.Reader.WaitToReadAsync(until).AsTask()))
                return false;
            _came.Reader.TryRead(out _);
        }
        catch (OperationCanceledException)
        {
            // There may be something to do all the same.
        }
        return true;
    }

    /// <summary>Nothing is written any more.</summary>
    public void End() => _came.Writer.TryComplete();
}
