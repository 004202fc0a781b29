using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>What writer and shipper of a spool share: the files that are written no more, how much room there is, and the word that something came.</summary>
/// <remarks>The spool is a folder of files like the audit's own, with another ending: chains of lines, each file locked by its process until it is sent, and then deleted. There is no cursor: what is there is not sent.</remarks>
internal sealed class AuditSpool(AuditCollectorPlan plan)
{
    public const string Extension = ".spool.jsonl";

    /// <summary>Of files with what the collector refused: <c>….rejected.jsonl</c>.</summary>
    public const string Rejected = ".rejected.jsonl";

    // The first word after a pause; the rest are the same. The shipper's thread is woken by who writes, not by the pool.
    private readonly Channel<bool> _came = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true, AllowSynchronousContinuations = true });
    private readonly ConcurrentQueue<AuditPart> _left = new();

    // Read by the writer, set by the shipper when it has looked; what is written meanwhile is added. At worst some events are counted twice until the next look.
    private long _held;

    /// <summary>Whether the last event that came found no room.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Takes an event's room. The writer's thread alone.</summary>
    /// <param name="bytes">How long its line is.</param>
    /// <param name="target">Its target.</param>
    /// <returns>False: there is none.</returns>
    public bool TryTakeRoom(int bytes, string? target)
    {
        // Without a credential of its own the shipper could not empty a full spool, and without room for the events there is no credential.
        long most = plan.Target is not null && target == plan.Target ? plan.SpoolBytes + (plan.SpoolBytes / 16) : plan.SpoolBytes;
        IsFull = _held + bytes > most;
        if (!IsFull)
            _held += bytes;
        return !IsFull;
    }

    /// <summary>What is told of an event that finds none.</summary>
    public static TokenExchangeException Full() =>
        new(ErrorCodes.AuditSpoolFull, ExchangeStage.Record, "The spool of the audit collector is full.") { IsTransient = true, Hint = "See in the log why the collector does not take its events; what it refused, and was set aside, counts, too." };

    /// <summary>Looks how much the folder holds. Before anything is written, and by the shipper's thread alone.</summary>
    public void Measure() =>
        _held = new DirectoryInfo(plan.Spool).EnumerateFiles().Sum(file =>
        {
            try
            {
                return file.Length;
            }
            catch (IOException)
            {
                return 0;   // another process has sent it
            }
        });

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
    /// <returns>False: nothing will be any more.</returns>
    public bool WaitForMore()
    {
        if (!Blocking.Wait(_came.Reader.WaitToReadAsync().AsTask()))
            return false;
        _came.Reader.TryRead(out _);
        return true;
    }

    /// <summary>Nothing is written any more.</summary>
    public void End() => _came.Writer.TryComplete();
}
