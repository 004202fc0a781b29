namespace Nhi.TokenExchange;

/// <summary>Sends what is in the spool, file by file and in order, and deletes each file that the collector has: first those of processes that are gone, then the session's own.</summary>
/// <remarks>
/// One thread, its own: disk and collector may hang. A batch is cut from a file by its lines alone, so whoever sends the file again, after a kill between the collector's answer and the deletion, sends the same batches with the same keys.
/// What the collector refuses is halved until the event is alone that it refuses; that one is set aside in a file, and told. Everything else is sent again until the collector takes it.
/// </remarks>
#pragma warning disable CA1001 // The sources are cancelled at the end and never disposed: they have no timer.
internal sealed class SpoolShipper
#pragma warning restore CA1001
{
    private const int MostEvents = 500;
    private const int MostBytes = 512 << 10;

    // Events that come within a second share a request, and a file.
    private static readonly TimeSpan Gathering = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan OldestDraft = TimeSpan.FromHours(1);

    private readonly AuditCollectorPlan _plan;
    private readonly JobSession _session;
    private readonly AuditSpool _spool;
    private readonly AuditFileSink _file;
    private readonly CollectorChannel _channel;
    private readonly CollectorState _state;
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private readonly List<SpoolFile> _stuck = [];
    private int _diskFailures;
    private long _diskFailedAt;
    private TimeSpan _diskWait;

    public SpoolShipper(AuditCollectorPlan plan, JobSession session, AuditSpool spool, AuditFileSink file)
    {
        (_plan, _session, _spool, _file) = (plan, session, spool, file);
        _channel = new CollectorChannel(plan, session);
        _state = new CollectorState(session.Plan, plan.Endpoint.IdnHost);
        _loop = OwnThread.Run(Run);
    }

    /// <summary>Why the collector did not take the last batch, or why a file could not be sent or taken away; null: all is well, or nothing was sent.</summary>
    public string? Failing => _state.Failing ?? (_stuck.Count > 0 ? "a file of the spool can't be read, or taken away; see the log" : null);

    // A log that hangs keeps nothing from being sent.
    private SessionLog Log => _session.Plan.Log;

    /// <summary>Sends what is left, as long as the collector takes it; what is not sent at the deadline is left to the next start. The file has ended before.</summary>
    public async Task EndAsync(CancellationToken deadline)
    {
        _spool.End();
        await _end.CancelAsync().ConfigureAwait(false);
        if (_plan.Target is not null)   // its credentials are over
            await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.IsDoneBeforeAsync(deadline).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(false);
    }

    private void Run()
    {
        int left = 0;
        try
        {
            TakeOver();
            do
            {
                Gather();
                ShipAll();
            }
            while (WaitForMore());
            ShipAll(isLast: true);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            left = 1;   // the one that it was at; the next start goes on
        }
        left += _stuck.Count;
        foreach (SpoolFile file in _stuck)
            file.Dispose();
        while (_spool.TryTake(out AuditPart? part))
        {
            part!.Dispose();
            left++;
        }
        if (left > 0)
            Log.SayLater(log => log.AuditSpoolLeft(_session.Context, ExceptionText.Clean(_plan.Spool, 200), left));
    }

    // What the disk kept from being sent or taken away is tried again when its time has come, before what came since.
    private void ShipAll(bool isLast = false)
    {
        bool isAgain = _stuck.Count > 0;
        if (isAgain && (isLast || RestOfWait == TimeSpan.Zero))
        {
            SpoolFile[] stuck = [.. _stuck];
            foreach (SpoolFile file in stuck)
                Ship(file);
            WaitForDisk(_diskFailures + 1);
        }
        while (_spool.TryTake(out AuditPart? part))
            Ship(new SpoolFile(part!));
        if (!isAgain)
            WaitForDisk(failures: 0);
    }

    private void WaitForDisk(int failures) => (_diskFailures, _diskFailedAt, _diskWait) = (failures, _session.Plan.Time.GetTimestamp(), Backoff(failures));

    private TimeSpan RestOfWait => _session.Plan.Time.GetElapsedTime(_diskFailedAt) is var waited && waited < _diskWait ? _diskWait - waited : TimeSpan.Zero;

    // Room of the disk comes without a word, and where the spool is full of what is stuck, no event does either.
    private bool WaitForMore()
    {
        if (_stuck.Count == 0)
            return _spool.WaitForMore(CancellationToken.None);
        using var until = new CancellationTokenSource(RestOfWait, _session.Plan.Time);
        return _spool.WaitForMore(until.Token);
    }

    private void Gather()
    {
        Wait(Gathering);
        Blocking.Wait(_file.LeaveAsync());
    }

    // What is locked is alive.
    private void TakeOver()
    {
        try
        {
            foreach (string draft in Directory.EnumerateFiles(_plan.Spool, PrivateFile.DraftOf("*")).Where(draft => File.GetLastWriteTimeUtc(draft) < (_session.Plan.Time.GetUtcNow() - OldestDraft).UtcDateTime))
                File.Delete(draft);
            foreach (string path in AuditFolder.InOrder(Directory.EnumerateFiles(_plan.Spool, $"*{AuditSpool.Extension}")).ToArray())
                TakeOver(path);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Log.SayLater(log => log.AuditSpoolFailed(_session.Context, ExceptionText.Clean(_plan.Spool, 200), ExceptionText.Clean(failed.Message, 300)));
        }
    }

    // One that is not ours to trust, such as a FIFO, keeps no other from being sent.
    private void TakeOver(string path)
    {
        try
        {
            if (AuditPart.TryTake(path, _plan.Disk, (what, inner) => AuditFolder.Unsafe(path, what, "Look who put it there.", inner)) is { } part)
                Ship(new SpoolFile(part));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or TokenExchangeException)
        {
            Log.SayLater(log => log.AuditSpoolFailed(_session.Context, ExceptionText.Clean(path, 300), ExceptionText.Clean(failed.Message, 300)));
        }
    }

    private void Ship(SpoolFile file)
    {
        bool isStuck = false;
        try
        {
            if (!file.IsSent)
                SendAll(file);
            file.IsSent = true;
            if (file.Rejected.Count > 0 && !file.IsSetAside)
                SetAside(file);
            file.Part.Delete();
            _spool.Room.Give();
        }
        catch (Exception failed) when (failed is not OperationCanceledException)   // whatever it is, it stays, and the others are sent
        {
            isStuck = failed is IOException or UnauthorizedAccessException || failed.InnerException is IOException or UnauthorizedAccessException;   // else it is no file of ours, and never will be
            if (!_stuck.Contains(file))   // said once
                Log.SayLater(log => log.AuditSpoolFailed(_session.Context, ExceptionText.Clean(file.Part.Path, 300), ExceptionText.Clean(failed.Message, 300)));
        }
        finally
        {
            _stuck.Remove(file);
            if (isStuck)
                _stuck.Add(file);
            else
                file.Dispose();
        }
    }

    // Goes on behind the last batch that the collector has.
    private void SendAll(SpoolFile file)
    {
        using var reader = AuditFileReader.Open(file.Part.Path, _plan.Disk);
        Guid chain = AuditFileHeader.Read(file.Part.Path, reader).Chain;
        var events = new List<(long, byte[], Range)>();
        var rejected = new List<ReadOnlyMemory<byte>>();
        int bytes = 0;
        while (reader.TryRead(out ReadOnlyMemory<byte> line) && reader.HasEnd)   // a torn line was never recorded
        {
            if (reader.Line <= file.LinesDone)
                continue;
            if (!CollectorBatch.TryRead(line.Span, out long sequence, out Range json))
            {
                rejected.Add(line.ToArray());
                continue;
            }
            if (json.Equals(default))
                continue;
            if (events.Count == MostEvents || (events.Count > 0 && bytes + line.Length > MostBytes))
                SendThese(reader.Line - 1);
            events.Add((sequence, line.ToArray(), json));
            bytes += line.Length;
        }
        SendThese(reader.Line);

        void SendThese(long lines)
        {
            if (events.Count > 0)
                Send(new CollectorBatch(chain, [.. events]), rejected);
            file.NoteDone(lines, rejected);
            events.Clear();
            rejected.Clear();
            bytes = 0;
        }
    }

    private void Send(CollectorBatch batch, List<ReadOnlyMemory<byte>> rejected)
    {
        for (int failures = 0; ; failures++)
        {
            _stop.Token.ThrowIfCancellationRequested();
            (CollectorChannel.Answer answer, string why, TimeSpan? wait) = Blocking.Wait(_channel.PostAsync(batch, _stop.Token));
            if (answer != CollectorChannel.Answer.Later)
            {
                if (answer == CollectorChannel.Answer.Taken)
                {
                    _state.Taken();
                    return;
                }
                if (batch.Events.Count == 1)
                {
                    _state.Refused(why);
                    rejected.Add(batch.Events[0].Line);
                    return;
                }
                (CollectorBatch first, CollectorBatch second) = batch.Halves;
                Send(first, rejected);
                Send(second, rejected);
                return;
            }
            _state.Failed(why);
            if (_end.IsCancellationRequested)   // the next start goes on
                _stop.Cancel();
            TimeSpan backoff = Backoff(failures);
            Wait(wait > backoff ? wait.Value : backoff);
        }
    }

    private TimeSpan Backoff(int failures)
    {
        TimeSpan backoff = FirstWait * Math.Pow(2, Math.Min(failures, 10)) * (0.5 + (_session.Jitter() / 2));
        return backoff < LongestWait ? backoff : LongestWait;
    }

    // The job's end waits for nothing.
    private void Wait(TimeSpan time)
    {
        try
        {
            Blocking.Wait(Task.Delay(time, _session.Plan.Time, _end.Token));
        }
        catch (OperationCanceledException)
        {
            // On with what is left.
        }
    }

    private void SetAside(SpoolFile file)
    {
        string aside = file.SetAside(_plan.Disk);
        PrivateFolder.Flush(_plan.Spool);
        file.IsSetAside = true;
        Log.SayLater(log => log.AuditEventsRefused(_session.Context, _plan.Endpoint.IdnHost, file.Rejected.Count, ExceptionText.Clean(aside, 300), ErrorCodes.AuditEventsRefused));
    }
}
