using System.Buffers;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Nhi.TokenExchange;

/// <summary>Records the events of one session as a chain of lines, each with the hash of the one before: recorded means flushed to the disk.</summary>
/// <remarks>
/// 1. One thread, its own, owns files and chain: nobody takes a lock, and a disk that hangs holds no thread of the pool. It takes all that has come while the disk was busy and writes that with one write and one flush; then, not before, it tells each caller.
/// 2. The queue is the order. Who gives up waiting takes nothing out of it: the line may still be written. That is no lie: an intent was one, and what was issued was issued, and is ended by a line behind it.
/// 3. If a write or a flush fails, none of its events is recorded, and none is written again: their callers are told. What it left is cut off, or taken away, and nothing is written before that worked; then the chain goes on in a new file, for what an
///    unsuccessful flush left of the old one is not known. The new file is made with the events that need it in it, so that a full disk is not filled further by files without events.
/// 4. Of a spool (<see cref="AuditSpool"/>) each file that is full, or that the shipper asks for, is left to it and written no more. No anchor is said, and no line says that the chain is whole: what is sent is taken away. Behind a file that is not as it was
///    left, or could not be written, another chain begins: lines that are in it and count as not recorded may be sent, and their numbers must name nothing else.
/// 5. The file is looked at before each write. If it is not as it was left, it is left so, and the chain goes on in a new file that says what was found. So it does where somebody has taken the next file's name: under another.
/// </remarks>
internal sealed class AuditFileSink : IAuditSink
{
    private const int MostWaiting = 1 << 14;
    private const int MostAtOnce = 1000;
    private const int MostBytesAtOnce = 4 << 20;
    private const int MostNamesTried = 100;

    // What a line has beside its event, about.
    private const int LineLength = 180;

    // An event of a quiet job is anchored so long after it at most.
    private static readonly TimeSpan AnchorAfter = TimeSpan.FromMinutes(5);

    private readonly AuditFolderPlan _plan;
    private readonly AuditSpool? _spool;
    private readonly JobContext _job;
    private readonly TimeProvider _time;
    private readonly AuditSayings _sayings;
    private readonly DateTimeOffset _started;
    private readonly string _firstPart;
    private readonly AuditParts _parts;
    // The thread is woken by who writes, not by the pool.
    private readonly Channel<WaitingLine> _waiting = Channel.CreateBounded<WaitingLine>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, AllowSynchronousContinuations = true });
    private readonly Task _loop;

    // The thread's alone.
    private Guid _chain = Guid.NewGuid();
    private AuditPart _part;
    private AuditHead _head;
    private long _events;
    private long _anchored;
    private long _unanchoredSince;
    private ITimer? _anchorTimer;
    private long _eventsOfPart;
    private bool _isLeft;
    private bool _isBroken;
    private (string Found, long Cut, bool IsCutBack)? _leaving;

    private AuditFileSink(AuditFolderPlan plan, AuditFolder folder, JobContext job, TimeProvider time, ILogger logger, AuditSpool? spool)
    {
        (_plan, Folder, _job, _time, _sayings, _spool, _parts) = (plan, folder, job, time, new AuditSayings(job, time, logger), spool, new AuditParts(plan.Disk));
        _started = time.GetUtcNow();
        while (true)
        {
            _firstPart = folder.FirstPart(job, _started);
            var text = new ArrayBufferWriter<byte>();
            _head = AuditHead.None.Append(AuditMark.File(_chain, 1, job, _started), text);
            try
            {
                _part = _parts.Make(_firstPart, 1, text.WrittenMemory);
                break;
            }
            catch (IOException) when (!_parts.HasUnkept && AuditFolder.IsTaken(_firstPart))   // of another session of this process, which began at the same millisecond
            {
                _started += TimeSpan.FromMilliseconds(1);
            }
        }
        if (spool is null)
            SayAnchor("begin");   // from now on somebody knows that there is a chain
        _loop = OwnThread.Run(Run);
    }

    public AuditFolder Folder { get; }

    /// <summary>The head of the chain that was said last, as <c>chain:seq:hash</c>; once the chain has ended, that of its last line that is on the disk.</summary>
    public string? LastAnchor => _sayings.LastAnchor;

    /// <summary>Begins a chain, with its first file.</summary>
    /// <param name="plan">Where and how.</param>
    /// <param name="job">Whose events it records.</param>
    /// <param name="time">The job's clock.</param>
    /// <param name="logger">Where anchors and failures are said.</param>
    /// <param name="spool">Where files are left that are written no more; null: they stay in the folder.</param>
    /// <exception cref="TokenExchangeException">The folder is not safe, or no file can be made in it.</exception>
    public static AuditFileSink Start(AuditFolderPlan plan, JobContext job, TimeProvider time, ILogger logger, AuditSpool? spool = null)
    {
        AuditFolder folder = AuditFolder.Open(plan.Path, spool is null ? AuditFolder.Extension : AuditSpool.Extension);
        try
        {
            return new AuditFileSink(plan, folder, job, time, logger, spool);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw AuditFolder.Unsafe(plan.Path, $"takes no file ({ExceptionText.Clean(failed.Message, 200)})", "Name a folder that the job's user may write, with room on its disk, of a file system that has locks.", failed);
        }
    }

    public ValueTask WriteAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        var waiting = new WaitingLine(AuditMark.Of(auditEvent), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), auditEvent.Target);
        if (_waiting.Writer.TryWrite(waiting))
            return new ValueTask(waiting.Written!.Task);
        throw new IOException(_waiting.Reader.Completion.IsCompleted ? "the chain has ended" : "too many events wait for the disk, or the chain ends");
    }

    /// <summary>Has the file that is written now left to the spool, if it has events.</summary>
    /// <returns>Completes when it is.</returns>
    public Task LeaveAsync()
    {
        var left = new WaitingLine([], new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return _waiting.Writer.TryWrite(left) ? left.Written!.Task : Task.CompletedTask;   // else its end, or a full queue: it is tried again
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
        var batch = new List<WaitingLine>();
        var asked = new List<WaitingLine>();
        while (Blocking.Wait(_waiting.Reader.WaitToReadAsync().AsTask()))
        {
            int bytes = 0;
            while (batch.Count < MostAtOnce && bytes < MostBytesAtOnce && _waiting.Reader.TryRead(out WaitingLine? one))
            {
                bytes += one.Json.Length;
                if (one.Json.Length == 0)   // the file is to be left, or the thread was only woken
                    asked.Add(one);
                else if (_spool?.Room.TryTake(one.Json.Length + LineLength, one.Target) != false)
                    batch.Add(one);
                else
                    one.Tell(AuditSpool.Full());
            }
            if (batch.Count > 0)
                Record(batch);
            SayAnchorIfDue();
            batch.Clear();
            if (asked.Exists(one => one.Written is not null))
                LeavePart();
            foreach (WaitingLine one in asked)
                one.Tell(null);
            asked.Clear();
        }
        if (_spool is null)   // what is on the disk is anchored, whether or not the end is
            SayAnchor(TryWrite([new WaitingLine(AuditMark.End(_events, _time.GetUtcNow()), null)]) is null ? "end" : "last line; the end could not be written");
        _anchorTimer?.Dispose();
        if (_spool is null)
            _part.Dispose();
        else if (!_isLeft)
            _spool.Leave(_part);
    }

    private void LeavePart()
    {
        if (_isLeft || _eventsOfPart == 0 || _part.IsTorn || _leaving is not null)
            return;
        _isLeft = true;
        _spool!.Leave(_part);
    }

    private void Record(List<WaitingLine> batch)
    {
        bool isFirst = _events == _anchored;
        Exception? failure = TryWrite(batch);
        _spool?.Room.Settle(areWritten: failure is null);
        foreach (WaitingLine one in batch)
            one.Tell(failure);
        if (failure is null)
            _spool?.NoteWritten();
        if (failure is not null || !isFirst || _spool is not null)
            return;
        _unanchoredSince = _time.GetTimestamp();
        _anchorTimer?.Dispose();
        _anchorTimer = _time.CreateTimer(_ => _waiting.Writer.TryWrite(new WaitingLine([], null)), null, AnchorAfter, Timeout.InfiniteTimeSpan);
    }

    private Exception? TryWrite(List<WaitingLine> batch)
    {
        try
        {
            Write(batch);
            int events = batch.Count(one => one.Written is not null);
            (_events, _eventsOfPart) = (_events + events, _eventsOfPart + events);
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

    private void Write(List<WaitingLine> batch)
    {
        CutBack();
        if (_leaving is null && !_isLeft && _part.FindChange() is { } found)
            _leaving = (found, 0, false);
        if (_leaving is not null || _isLeft || _part.Length + batch.Sum(one => (long)one.Json.Length) > _plan.PartBytes)
        {
            MoveOn(batch);
            return;
        }
        var text = new ArrayBufferWriter<byte>();
        AuditHead head = _head;
        foreach (WaitingLine one in batch)
            head = head.Append(one.Json, text);
        _part.Append(text.WrittenSpan);
        _head = head;
    }

    private void MoveOn(List<WaitingLine> batch)
    {
        PrivateFolder.Open(Folder.Path, (what, hint, inner) => AuditFolder.Unsafe(Folder.Path, what, hint, inner));
        for (int taken = 0; ; taken++)
        {
            string path = Folder.NextPart(_firstPart, _part.Number + 1, taken);
            try
            {
                if (AuditFolder.IsTaken(path))
                    throw new IOException("the name of the next file is taken");
                MoveTo(path, taken, batch);
                return;
            }
            catch (IOException) when (!_parts.HasUnkept && taken < MostNamesTried && AuditFolder.IsTaken(path))
            {
                // The next name.
            }
        }
    }

    private void MoveTo(string path, int taken, List<WaitingLine> batch)
    {
        int number = _part.Number + 1;
        var text = new ArrayBufferWriter<byte>();
        (Guid chain, AuditHead head) = _spool is not null && _leaving is not null ? (Guid.NewGuid(), AuditHead.None) : (_chain, _head);
        head = head.Append(AuditMark.File(chain, number, _job, _started), text);
        if (_leaving is { } broken)
            head = head.Append(AuditMark.Recovered(broken.Cut, string.Create(CultureInfo.InvariantCulture, $"part {_part.Number} {broken.Found}"), _time.GetUtcNow()), text);
        if (taken > 0)
            head = head.Append(AuditMark.Recovered(0, string.Create(CultureInfo.InvariantCulture, $"part {number} has another name, for {taken} before it {(taken == 1 ? "was" : "were")} taken"), _time.GetUtcNow()), text);
        foreach (WaitingLine one in batch)
            head = head.Append(one.Json, text);
        AuditPart next = _parts.Make(path, number, text.WrittenMemory);
        AuditPart old = _part;
        (_part, _chain, AuditHead before, _head, _eventsOfPart) = (next, chain, _head, head, 0);
        if (_spool is null)
            old.Dispose();
        else if (!_isLeft)
            _spool.Leave(old);
        _isLeft = false;
        if (taken > 0)
            _sayings.Say(log => log.AuditFileLeft(_job, ExceptionText.Clean(Folder.NextPart(_firstPart, number, 0), 300), "has the name of the next file, and is not of this chain; it is left as it is", Path.GetFileName(path), ErrorCodes.AuditFileChanged));
        if (_leaving is { } left)
            _sayings.Say(log => log.AuditFileLeft(_job, ExceptionText.Clean(old.Path, 300), left.IsCutBack ? left.Found : $"{left.Found}; it is left as it is", Path.GetFileName(next.Path), ErrorCodes.AuditFileChanged));
        _leaving = null;
        if (_spool is null)
            _sayings.SayAnchor(before.AnchorOf(_chain), "new part");
    }

    private void CutBack()
    {
        _parts.TakeBack();
        if (!_part.IsTorn)
            return;
        long cut = _part.CutBack();
        _leaving = _part.FindChange() is { } found ? (found, cut, false) : (AuditMark.CutBack, cut, true);
    }

    private void SayAnchorIfDue()
    {
        if (_spool is null && _events - _anchored >= _plan.AnchorEvery)
            SayAnchor("events");
        else if (_spool is null && _events > _anchored && _time.GetElapsedTime(_unanchoredSince) >= AnchorAfter)
            SayAnchor("time");
    }

    private void SayAnchor(string why)
    {
        _anchored = _events;
        _sayings.SayAnchor(_head.AnchorOf(_chain), why);
    }
}
