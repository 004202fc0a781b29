using Microsoft.Extensions.Logging;

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
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _loop;
    private long? _saidAt;

    public SpoolShipper(AuditCollectorPlan plan, JobSession session, AuditSpool spool, AuditFileSink file)
    {
        (_plan, _session, _spool, _file) = (plan, session, spool, file);
        _channel = new CollectorChannel(plan, session);
        _loop = OwnThread.Run(Run);
    }

    /// <summary>Why the collector did not take the last batch; null: it did, or was sent none.</summary>
    public string? Failing { get; private set; }

    private ILogger Logger => _session.Plan.Logger;

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
                while (_spool.TryTake(out AuditPart? part))
                    Ship(part!);
            }
            while (_spool.WaitForMore());
            while (_spool.TryTake(out AuditPart? part))
                Ship(part!);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            left = 1;   // the one that it was at; the next start goes on
        }
        while (_spool.TryTake(out AuditPart? part))
        {
            part!.Dispose();
            left++;
        }
        if (left > 0)
            Logger.AuditSpoolLeft(_session.Context, ExceptionText.Clean(_plan.Spool, 200), left);
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
            Logger.AuditSpoolFailed(_session.Context, ExceptionText.Clean(_plan.Spool, 200), ExceptionText.Clean(failed.Message, 300));
        }
    }

    // One that is not ours to trust, such as a FIFO, keeps no other from being sent.
    private void TakeOver(string path)
    {
        try
        {
            if (AuditPart.TryTake(path, _plan.Disk, (what, inner) => AuditFolder.Unsafe(path, what, "Look who put it there.", inner)) is { } part)
                Ship(part);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or TokenExchangeException)
        {
            Logger.AuditSpoolFailed(_session.Context, ExceptionText.Clean(path, 300), ExceptionText.Clean(failed.Message, 300));
        }
    }

    private void Ship(AuditPart part)
    {
        using (part)
        {
            try
            {
                var rejected = new List<ReadOnlyMemory<byte>>();
                SendAll(part.Path, rejected);
                if (rejected.Count > 0)
                    SetAside(part.Path, rejected);
                part.Delete();
                _spool.Measure();
            }
            catch (Exception failed) when (failed is not OperationCanceledException)   // whatever it is, it stays, the others are sent, and the next start tries again
            {
                Logger.AuditSpoolFailed(_session.Context, ExceptionText.Clean(part.Path, 300), ExceptionText.Clean(failed.Message, 300));
            }
        }
    }

    private void SendAll(string path, List<ReadOnlyMemory<byte>> rejected)
    {
        using var reader = AuditFileReader.Open(path);
        Guid chain = AuditFileHeader.Read(path, reader).Chain;
        var events = new List<(long, byte[], Range)>();
        int bytes = 0;
        while (reader.TryRead(out ReadOnlyMemory<byte> line) && reader.HasEnd)   // a torn line was never recorded
        {
            if (!CollectorBatch.TryRead(line.Span, out long sequence, out Range json))
            {
                rejected.Add(line.ToArray());
                continue;
            }
            if (json.Equals(default))
                continue;
            if (events.Count == MostEvents || (events.Count > 0 && bytes + line.Length > MostBytes))
            {
                Send(new CollectorBatch(chain, [.. events]), rejected);
                events.Clear();
                bytes = 0;
            }
            events.Add((sequence, line.ToArray(), json));
            bytes += line.Length;
        }
        if (events.Count > 0)
            Send(new CollectorBatch(chain, events), rejected);
    }

    private void Send(CollectorBatch batch, List<ReadOnlyMemory<byte>> rejected)
    {
        for (int failures = 0; ; failures++)
        {
            _stop.Token.ThrowIfCancellationRequested();
            (CollectorChannel.Answer answer, string why, TimeSpan? wait) = Blocking.Wait(_channel.PostAsync(batch, _stop.Token));
            if (answer != CollectorChannel.Answer.Later)
            {
                NoteAnswer();
                if (answer == CollectorChannel.Answer.Taken)
                    return;
                if (batch.Events.Count == 1)
                {
                    rejected.Add(batch.Events[0].Line);
                    return;
                }
                (CollectorBatch first, CollectorBatch second) = batch.Halves;
                Send(first, rejected);
                Send(second, rejected);
                return;
            }
            NoteFailure(why);
            if (_end.IsCancellationRequested)   // the next start goes on
                _stop.Cancel();
            TimeSpan backoff = FirstWait * Math.Pow(2, Math.Min(failures, 10)) * (0.5 + (_session.Jitter() / 2));
            backoff = backoff < LongestWait ? backoff : LongestWait;
            Wait(wait > backoff ? wait.Value : backoff);
        }
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

    private void SetAside(string path, List<ReadOnlyMemory<byte>> rejected)
    {
        string aside = path[..^AuditSpool.Extension.Length] + AuditSpool.Rejected;
        using (var reader = AuditFileReader.Open(path))
        {
            // With its first line it is a file of a spool again, whoever renames it.
            if (reader.TryRead(out ReadOnlyMemory<byte> header))
                PrivateFile.Make(aside, [.. rejected.Prepend(header).SelectMany(line => new[] { line, "\n"u8.ToArray() })], replace: true, _plan.Disk).Dispose();
        }
        PrivateFolder.Flush(_plan.Spool);
        Logger.AuditEventsRefused(_session.Context, _plan.Endpoint.IdnHost, rejected.Count, ExceptionText.Clean(aside, 300), ErrorCodes.AuditEventsRefused);
    }

    private void NoteFailure(string why)
    {
        Failing = why;
        if (_saidAt is { } saidAt && _session.Plan.Time.GetElapsedTime(saidAt) < TimeSpan.FromMinutes(1))
            return;
        _saidAt = _session.Plan.Time.GetTimestamp();
        Logger.AuditCollectorFails(_session.Context, _plan.Endpoint.IdnHost, why, ErrorCodes.AuditCollectorFails);
    }

    private void NoteAnswer()
    {
        if (Failing is null)
            return;
        (Failing, _saidAt) = (null, null);
        Logger.AuditCollectorIsBack(_session.Context, _plan.Endpoint.IdnHost);
    }
}
