using System.Globalization;
using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>The journal of one running job: what exchanges are in the air, and what credentials are not ended, so that a crash loses none.</summary>
/// <remarks>
/// One loop owns the file, and what is not ended in memory: nobody takes a lock. It takes what has come while the disk was busy and writes that together, with one flush; an append costs its caller one flush, or the end of another and one. An exchange is written down
/// before it is sent, its credential before it is handed out, with a handle or without (of what has none, the journal is all that tells its end), and that its end is uncertain before its issuer is asked to lengthen its life. An end need not be flushed: what is asked to end twice is gone the second time.
/// The file is written anew when most of it is over; and after each failure, for what an unsuccessful flush left on the disk is not known. It is looked for before each write: where it was deleted, moved, replaced or cut, a new one is made with all that is held, before anything goes on.
/// </remarks>
internal sealed class JobJournal : IAsyncDisposable
{
    // Some thousand ended entries.
    private const long RewriteFrom = 1 << 20;
    private const int MostAtOnce = 1000;

    private readonly JobSession _session;
    private readonly FlightNumbers _numbers = new();
    private readonly byte[] _header;
    private readonly OwnJournal _file;
    private readonly Channel<Change> _changes = Channel.CreateUnbounded<Change>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;

    // The loop's alone.
    private readonly OpenEntries _open = new();
    private bool _isBroken;

    public JobJournal(JobSession session, JournalFolder folder)
    {
        _session = session;
        try
        {
            _header = JournalText.Of(new JournalHeader(session.Clock.Now, ProcessIdentity.Current, session.Context));
            _file = new OwnJournal(session, folder, _header);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new TokenExchangeException(ErrorCodes.JournalUnsafe, ExchangeStage.Configure, $"No journal can be made in '{ExceptionText.Clean(folder.Path, 200)}' ({ExceptionText.Clean(failed.Message, 200)}).", failed)
            {
                Hint = "Name a folder that the job's user may write, with room on its disk, of a file system that has locks. If it is the line that is too long, say less of the job.",
            };
        }
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _loop = Task.Run(RunAsync);
    }

    public string Path => _file.Path;

    /// <summary>What somebody did with a file of it; null: nothing that was seen.</summary>
    public string? Lost => _file.Lost;

    /// <summary>Whether the last write failed: nothing is handed out then.</summary>
    public bool IsFailing => _isBroken;

    /// <summary>Writes down that an exchange is about to be sent.</summary>
    /// <returns>Its entry, for <see cref="IssuedAsync"/> or <see cref="NothingCame"/>.</returns>
    /// <exception cref="TokenExchangeException">It can't be written; nothing may be sent.</exception>
    public async Task<JournalEntry> ExchangingAsync(TargetPlan target, long flight, JobAttestation attestation, CancellationToken cancellationToken)
    {
        var entry = new JournalEntry
        {
            Number = _numbers.Next(),
            At = _session.Clock.Now,
            FlightId = _session.FlightId(flight),
            Target = target.Name,
            Issuer = target.Exchanger.Issuer.AbsoluteUri,
            IsPlatformIssued = target.Exchanger.IsPlatformIssued,
            Job = ReferenceEquals(attestation.Job, _session.Context) ? null : attestation.Job,
            AttestedFacts = attestation.Attested,
        };
        await AppendAsync(entry, null, cancellationToken).ConfigureAwait(false);
        return entry;
    }

    /// <summary>Writes down the handle of what an exchange is about to make.</summary>
    /// <param name="entry">The exchange's entry.</param>
    /// <param name="handle">What will end it.</param>
    /// <param name="longestLife">When it dies is not known yet; not much after this.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The entry with the handle.</returns>
    /// <exception cref="TokenExchangeException">It can't be written; nothing may be sent.</exception>
    public async Task<JournalEntry> AnnounceAsync(JournalEntry entry, string handle, TimeSpan longestLife, CancellationToken cancellationToken)
    {
        JournalEntry announced = entry with { Handle = handle, UnusableFrom = entry.At + longestLife, DiesAt = entry.At + longestLife, EndIsUncertain = true };
        await AppendAsync(announced, null, cancellationToken).ConfigureAwait(false);
        return announced;
    }

    /// <summary>Writes down the credential that came of an exchange.</summary>
    /// <exception cref="TokenExchangeException">It can't be written; the credential must not be handed out.</exception>
    public Task IssuedAsync(JournalEntry entry, Credential credential, CancellationToken cancellationToken)
    {
        LeaseRecord lease = credential.Lease;
        // A handle is no secret; the credential itself given as one would be.
        if (lease.Handle is { } handle && Credential.FingerprintOf(handle).ToString("x16", CultureInfo.InvariantCulture) == credential.Fingerprint)
        {
            NothingCame(entry);
            throw new TokenExchangeException(ErrorCodes.ExchangerFailed, ExchangeStage.Record, "The exchanger gave the credential itself as its RevocationHandle; it is not written down.")
            {
                Target = entry.Target, Hint = "Give an accessor or a lease id, or none.",
            };
        }
        JournalEntry issued = entry with
        {
            Fingerprint = credential.Fingerprint, Handle = lease.Handle, UnusableFrom = _session.Clock.InstantOf(lease.WallEnd), DiesAt = credential.ExpiresAt, EndIsUncertain = lease.EndIsUncertain,
        };
        return AppendAsync(issued, credential, cancellationToken);
    }

    /// <summary>Writes down that the end of a credential is uncertain, as it was marked to be: its issuer is about to be asked to lengthen its life.</summary>
    /// <exception cref="TokenExchangeException">It can't be written; the issuer must not be asked.</exception>
    public Task LengtheningAsync(Credential credential, CancellationToken cancellationToken) =>
        WriteAsync(credential.Lease.Owner!.Target, text => _open.PutAgain(credential, null, text), cancellationToken);

    /// <summary>It was not lengthened: what was known of its end stands again.</summary>
    public void NotLengthened(Credential credential) => Write(text => _open.PutAgain(credential, null, text));

    /// <summary>It was lengthened while somebody ends it: it is still the one thing, and dies when its renewal says.</summary>
    public void Lengthened(Credential credential, Credential renewed)
    {
        var end = new JournalEnd(_session.Clock.InstantOf(renewed.Lease.WallEnd), renewed.ExpiresAt);
        Write(text => _open.PutAgain(credential, end, text));
    }

    /// <summary>Nothing came of an exchange.</summary>
    public void NothingCame(JournalEntry entry) => Write(text => _open.End(entry.Number, "Nothing", text));

    /// <summary>A credential is accounted for: nothing is left to do about it.</summary>
    public void Ended(Credential credential, LeaseEnd end)
    {
        LeaseOwnership.NoteOver(credential);   // first: its flight may be about to write it down
        Write(text => _open.End(credential, end.ToString(), text));
    }

    /// <summary>A credential is accounted for, and the audit has not taken how: that is left to the next start.</summary>
    public void Untold(Credential credential, JournalUntold untold) => Write(text => _open.Leave(credential, untold, text));

    /// <summary>What may have come of an exchange is accounted for, and the audit has not taken how.</summary>
    public void Untold(JournalEntry entry, JournalUntold untold) => Write(text => _open.Leave(entry.Number, untold, text));

    /// <summary>Takes the journal away if nothing is left in it; else leaves it to the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        _changes.Writer.TryComplete();
        await _loop.ConfigureAwait(false);
        try
        {
            if (_open.Count == 0)
            {
                _file.Delete();
                return;
            }
            if (_file.FindChange() is { } found)
                _file.MakeAnew(found, [_header, .. _open.Lines, JournalText.OfClosing()]);
            else if (_isBroken)
                _file.Replace([_header, .. _open.Lines, JournalText.OfClosing()]);
            else
                _file.Append(JournalText.OfClosing(), flush: true);
            _session.Plan.Logger.JournalLeft(_session.Context, ExceptionText.Clean(Path, 200), _open.Count);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            _session.Plan.Logger.JournalFailed(_session.Context, ExceptionText.Clean(Path, 200), failed.GetType().Name);
        }
        finally
        {
            _file.Dispose();
        }
    }

    private async Task AppendAsync(JournalEntry entry, Credential? credential, CancellationToken cancellationToken)
    {
        JournalRecord record;
        try
        {
            record = JournalRecord.Of(entry, credential);
        }
        catch (IOException tooLong)
        {
            NothingCame(entry);   // it is not sent, or is ended
            throw NotWritten(entry.Target, tooLong);
        }
        try
        {
            await WriteAsync(entry.Target, text => _open.Put(record, text), cancellationToken).ConfigureAwait(false);
        }
        catch when (credential is null)
        {
            NothingCame(entry);   // it is not sent; a disk that hangs may yet write it down
            throw;
        }
    }

    private async Task WriteAsync(string target, Action<MemoryStream> apply, CancellationToken cancellationToken)
    {
        try
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_changes.Writer.TryWrite(new Change(apply, written)))
                throw new IOException("the job has ended");
            await written.Task.WaitAsync(JobAudit.Deadline, _session.Plan.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failed) when (!(failed is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            throw NotWritten(target, failed);
        }
    }

    private void Write(Action<MemoryStream> apply) => _changes.Writer.TryWrite(new Change(apply, null));

    private TokenExchangeException NotWritten(string target, Exception failed) =>
        new(ErrorCodes.NotRecorded, ExchangeStage.Record, $"The journal '{ExceptionText.Clean(Path, 200)}' could not be written ({ExceptionText.Clean(failed.Message)}); nothing is handed out.", failed)
        {
            Target = target, IsTransient = true, Hint = "Look at the disk of the journal: whether it is full, or read-only, or hangs.",
        };

    private async Task RunAsync()
    {
        var batch = new List<Change>();
        while (await _changes.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (batch.Count < MostAtOnce && _changes.Reader.TryRead(out Change? change))
                batch.Add(change);
            Exception? failure = Write(batch);
            foreach (Change change in batch)
            {
                if (failure is null)
                    change.Written?.TrySetResult();   // unless it failed alone
                else
                    change.Written?.TrySetException(failure);
            }
            batch.Clear();
        }
    }

    private Exception? Write(List<Change> batch)
    {
        using var text = new MemoryStream();
        try
        {
            foreach (Change change in batch)
                Apply(change, text);
            if (_file.FindChange() is { } found)   // who took it away took what would end all that is held
                _file.MakeAnew(found, [_header, .. _open.Lines]);
            else if (_isBroken || (_file.Length + text.Length > RewriteFrom && _file.Length > 2 * _open.Length && !OperatingSystem.IsWindows()))
                _file.Replace([_header, .. _open.Lines]);
            else if (text.Length > 0)
                _file.Append(text.GetBuffer().AsSpan(0, (int)text.Length), flush: batch.Exists(change => change.Written is not null));
            _isBroken = false;
            return null;
        }
        catch (Exception failed)   // whatever it is, the loop goes on: the next change tries again, with the whole of it
        {
            if (!_isBroken)
                _session.Plan.Logger.JournalFailed(_session.Context, ExceptionText.Clean(Path, 200), failed.GetType().Name);
            _isBroken = true;
            return failed;
        }
    }

    // One whose line is too long changes nothing, and nothing for those behind it.
    private void Apply(Change change, MemoryStream text)
    {
        try
        {
            change.Apply(text);
        }
        catch (IOException tooLong)
        {
            if (change.Written is null)
                _session.Plan.Logger.JournalFailed(_session.Context, ExceptionText.Clean(Path, 200), tooLong.GetType().Name);
            change.Written?.TrySetException(tooLong);
        }
    }

    /// <param name="Apply">Changes what is open, and gives the lines that say so.</param>
    /// <param name="Written">Told when they are on the disk; null: nobody waits.</param>
    private sealed record Change(Action<MemoryStream> Apply, TaskCompletionSource? Written);
}
