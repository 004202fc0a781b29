using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Records the events of one session as a chain of lines, each with the hash of the one before: recorded means flushed to the disk.</summary>
/// <remarks>
/// 1. One thread, its own, owns files and chain: nobody takes a lock, and a disk that hangs holds no thread of the pool. It takes all that has come while the disk was busy and writes that with one write and one flush; then, not before, it tells each caller.
/// 2. The queue is the order. Who gives up waiting takes nothing out of it: the line may still be written. That is no lie: an intent was one, and what was issued was issued, and is ended by a line behind it.
/// 3. If a write or a flush fails, none of its events is recorded, and none is written again: their callers are told. What it left is cut off, and nothing is written before that worked; then the chain goes on in a new file, for what an
///    unsuccessful flush left of the old one is not known. The new file is made with the events that need it in it, so that a full disk is not filled further by files without events.
/// 4. The file is looked at before each write. If it is not as it was left, it is left so, and the chain goes on in a new file that says what was found. So it does where somebody has taken the next file's name: under another.
/// </remarks>
internal sealed class AuditFileSink : IAuditSink
{
    private const int MostWaiting = 1 << 14;
    private const int MostAtOnce = 1000;
    private const int MostBytesAtOnce = 4 << 20;
    private const int MostNamesTried = 100;

    // An event of a quiet job is anchored so long after it at most.
    private static readonly TimeSpan AnchorAfter = TimeSpan.FromMinutes(5);

    private readonly AuditFolderPlan _plan;
    private readonly JobContext _job;
    private readonly TimeProvider _time;
    private readonly AuditSayings _sayings;
    private readonly Guid _chain = Guid.NewGuid();
    private readonly DateTimeOffset _started;
    private readonly string _firstPart;
    // The thread is woken by who writes, not by the pool.
    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, AllowSynchronousContinuations = true });
    private readonly Task _loop;

    // The thread's alone.
    private AuditPart _part;
    private AuditHead _head;
    private long _events;
    private long _anchored;
    private long _unanchoredSince;
    private ITimer? _anchorTimer;
    private bool _isBroken;
    private (string Found, long Cut)? _leaving;

    private AuditFileSink(AuditFolderPlan plan, AuditFolder folder, JobContext job, TimeProvider time, ILogger logger)
    {
        (_plan, Folder, _job, _time, _sayings) = (plan, folder, job, time, new AuditSayings(job, time, logger));
        _started = time.GetUtcNow();
        while (true)
        {
            _firstPart = folder.FirstPart(job, _started);
            var text = new ArrayBufferWriter<byte>();
            _head = AuditHead.None.Append(AuditMark.File(_chain, 1, job, _started), text);
            try
            {
                _part = AuditPart.Make(folder, _firstPart, 1, text.WrittenMemory, plan.Disk);
                break;
            }
            catch (IOException) when (AuditFolder.IsTaken(_firstPart))   // of another session of this process, which began at the same millisecond
            {
                _started += TimeSpan.FromMilliseconds(1);
            }
        }
        SayAnchor("begin");   // from now on somebody knows that there is a chain
        _loop = OwnThread.Run(Run);
    }

    public AuditFolder Folder { get; }

    /// <summary>The head of the chain that was said last, as <c>chain:seq:hash</c>; once the chain has ended, that of its last line.</summary>
    public string? LastAnchor => _sayings.LastAnchor;

    /// <summary>Begins a chain, with its first file.</summary>
    /// <exception cref="TokenExchangeException">The folder is not safe, or no file can be made in it.</exception>
    public static AuditFileSink Start(AuditFolderPlan plan, JobContext job, TimeProvider time, ILogger logger)
    {
        AuditFolder folder = AuditFolder.Open(plan.Path);
        try
        {
            return new AuditFileSink(plan, folder, job, time, logger);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw AuditFolder.Unsafe(plan.Path, $"takes no file ({ExceptionText.Clean(failed.Message, 200)})", "Name a folder that the job's user may write, with room on its disk, of a file system that has locks.", failed);
        }
    }

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        var waiting = new Waiting(AuditMark.Of(auditEvent), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        if (_waiting.Writer.TryWrite(waiting))
            return new ValueTask(waiting.Written!.Task);
        throw new IOException(_waiting.Reader.Completion.IsCompleted ? "the chain has ended" : "too many events wait for the disk, or the chain ends");
    }

    /// <summary>Ends the chain: what waits is written, and a line that says that it is whole.</summary>
    public async Task EndAsync()
    {
        _waiting.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        await _sayings.AllSaidAsync().ConfigureAwait(false);
    }

    private void Run()
    {
        var batch = new List<Waiting>();
        while (Blocking.Wait(_waiting.Reader.WaitToReadAsync().AsTask()))
        {
            int bytes = 0;
            while (batch.Count < MostAtOnce && bytes < MostBytesAtOnce && _waiting.Reader.TryRead(out Waiting? one))
            {
                if (one.Json.Length > 0)   // else it only wakes the thread
                    batch.Add(one);
                bytes += one.Json.Length;
            }
            if (batch.Count > 0)
                Record(batch);
            SayAnchorIfDue();
            batch.Clear();
        }
        if (TryWrite([new Waiting(AuditMark.End(_events, _time.GetUtcNow()), null)]) is null)
            SayAnchor("end");
        _anchorTimer?.Dispose();
        _part.Dispose();
    }

    private void Record(List<Waiting> batch)
    {
        bool isFirst = _events == _anchored;
        Exception? failure = TryWrite(batch);
        foreach (Waiting one in batch)
            one.Tell(failure);
        if (failure is not null || !isFirst)
            return;
        _unanchoredSince = _time.GetTimestamp();
        _anchorTimer?.Dispose();
        _anchorTimer = _time.CreateTimer(_ => _waiting.Writer.TryWrite(new Waiting([], null)), null, AnchorAfter, Timeout.InfiniteTimeSpan);
    }

    private Exception? TryWrite(List<Waiting> batch)
    {
        try
        {
            Write(batch);
            _events += batch.Count(one => one.Written is not null);
            _isBroken = false;
            return null;
        }
        catch (Exception failed)   // whatever it is, the loop goes on: with the next events, never with these again
        {
            string path = _part.Path;
            if (!_isBroken)
                _sayings.Say(log => log.AuditFileFailed(_job, ExceptionText.Clean(path, 300), failed.GetType().Name, ExceptionText.Clean(failed.Message, 200)));
            _isBroken = true;
            Quietly.Do(CutBack);   // if it can't be now, it is tried before the next write
            return failed;
        }
    }

    private void Write(List<Waiting> batch)
    {
        CutBack();
        if (_leaving is null && _part.FindChange() is { } found)
            _leaving = (found, 0);
        if (_leaving is not null || _part.Length + batch.Sum(one => (long)one.Json.Length) > _plan.PartBytes)
        {
            MoveOn(batch);
            return;
        }
        var text = new ArrayBufferWriter<byte>();
        AuditHead head = _head;
        foreach (Waiting one in batch)
            head = head.Append(one.Json, text);
        _part.Append(text.WrittenSpan);
        _head = head;
    }

    private void MoveOn(List<Waiting> batch)
    {
        PrivateFolder.Open(Folder.Path, (what, hint, inner) => AuditFolder.Unsafe(Folder.Path, what, hint, inner));
        for (int taken = 0; ; taken++)
        {
            string path = AuditFolder.NextPart(_firstPart, _part.Number + 1, taken);
            try
            {
                if (AuditFolder.IsTaken(path))
                    throw new IOException("the name of the next file is taken");
                MoveTo(path, taken, batch);
                return;
            }
            catch (IOException) when (taken < MostNamesTried && AuditFolder.IsTaken(path))
            {
                // The next name.
            }
        }
    }

    private void MoveTo(string path, int taken, List<Waiting> batch)
    {
        int number = _part.Number + 1;
        var text = new ArrayBufferWriter<byte>();
        AuditHead head = _head.Append(AuditMark.File(_chain, number, _job, _started), text);
        if (_leaving is { } broken)
            head = head.Append(AuditMark.Recovered(broken.Cut, string.Create(CultureInfo.InvariantCulture, $"part {_part.Number} {broken.Found}"), _time.GetUtcNow()), text);
        if (taken > 0)
            head = head.Append(AuditMark.Recovered(0, string.Create(CultureInfo.InvariantCulture, $"part {number} has another name, for {taken} before it {(taken == 1 ? "was" : "were")} taken"), _time.GetUtcNow()), text);
        foreach (Waiting one in batch)
            head = head.Append(one.Json, text);
        AuditPart next = AuditPart.Make(Folder, path, number, text.WrittenMemory, _plan.Disk);
        AuditPart old = _part;
        (_part, AuditHead before, _head) = (next, _head, head);
        old.Dispose();
        if (taken > 0)
            _sayings.Say(log => log.AuditFileLeft(_job, ExceptionText.Clean(AuditFolder.NextPart(_firstPart, number, 0), 300), "has the name of the next file, and is not of this chain", Path.GetFileName(path), ErrorCodes.AuditFileChanged));
        if (_leaving is { } left)
            _sayings.Say(log => log.AuditFileLeft(_job, ExceptionText.Clean(old.Path, 300), left.Found, Path.GetFileName(next.Path), ErrorCodes.AuditFileChanged));
        _leaving = null;
        _sayings.SayAnchor(before.AnchorOf(_chain), "new part");
    }

    private void CutBack()
    {
        if (_part.IsTorn)
            _leaving = ("could not be written, and was cut back to its last whole line", _part.CutBack());
    }

    private void SayAnchorIfDue()
    {
        if (_events - _anchored >= _plan.AnchorEvery)
            SayAnchor("events");
        else if (_events > _anchored && _time.GetElapsedTime(_unanchoredSince) >= AnchorAfter)
            SayAnchor("time");
    }

    private void SayAnchor(string why)
    {
        _anchored = _events;
        _sayings.SayAnchor(_head.AnchorOf(_chain), why);
    }

    /// <param name="Json">The event.</param>
    /// <param name="Written">Told when it is on the disk; null: it is a line of the chain's own.</param>
    private sealed record Waiting(byte[] Json, TaskCompletionSource? Written)
    {
        public void Tell(Exception? failure)
        {
            if (failure is null)
            {
                Written?.TrySetResult();
                return;
            }
            Written?.TrySetException(failure);
            _ = Written?.Task.Exception;   // nobody may wait any more; that is no unobserved failure
        }
    }
}
