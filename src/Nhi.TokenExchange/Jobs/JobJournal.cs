using System.Globalization;
using System.Threading.Channels;

namespace Nhi.TokenExchange;

/// <summary>The journal of one running job: what exchanges are in the air, and what credentials are not ended, so that a crash loses none.</summary>
/// <remarks>
/// One loop owns the file, and what is not ended in memory: nobody takes a lock. It takes what has come while the disk was busy and writes that together, with one flush; an append costs its caller one flush, or two. An exchange is written down
/// before it is sent, and its credential before it is handed out, with a handle or without: of what has none, the journal is all that tells its end. An end need not be flushed: what is asked to end twice is gone the second time.
/// The file is written anew when most of it is over; and after each failure, for what an unsuccessful flush left on the disk is not known.
/// </remarks>
internal sealed class JobJournal : IAsyncDisposable
{
    // Some thousand ended entries.
    private const long RewriteFrom = 1 << 20;
    private const int MostAtOnce = 1000;

    private readonly JobSession _session;
    private readonly FlightNumbers _numbers = new();
    private readonly byte[] _header;
    private readonly JournalFile _file;
    private readonly Channel<Change> _changes = Channel.CreateUnbounded<Change>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Task _loop;

    // The loop's alone.
    private readonly SortedDictionary<long, Line> _open = [];
    private readonly Dictionary<Credential, long> _numberOf = [];
    private readonly Dictionary<(string Target, string Thing), long> _numberOfThing = [];
    private long _openLength;
    private bool _isBroken;

    public JobJournal(JobSession session, JournalFolder folder)
    {
        _session = session;
        try
        {
            _header = JournalText.Of(new JournalHeader(session.Clock.Now, ProcessIdentity.Current, session.Context));
            _file = JournalFile.Create(folder, _header);
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

    /// <summary>Nothing came of an exchange.</summary>
    public void NothingCame(JournalEntry entry) => _changes.Writer.TryWrite(new Change(entry.Number, null, null, "Nothing", null));

    /// <summary>A credential is accounted for: nothing is left to do about it.</summary>
    public void Ended(Credential credential, LeaseEnd end) => _changes.Writer.TryWrite(new Change(0, null, credential, end.ToString(), null));

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
            if (_isBroken)
                _file.Replace([_header, .. _open.Values.Select(line => line.Text), JournalText.OfClosing()]);
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
        bool isTaken = false;
        try
        {
            var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            isTaken = _changes.Writer.TryWrite(new Change(entry.Number, Line.Of(entry, credential), null, null, written));
            if (!isTaken)
                throw new IOException("the job has ended");
            await written.Task.WaitAsync(JobAudit.Deadline, _session.Plan.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failed)
        {
            if (credential is null || !isTaken)
                NothingCame(entry);   // it is not sent, or is ended; a disk that hangs may yet write it down
            if (failed is OperationCanceledException && cancellationToken.IsCancellationRequested)
                throw;
            throw new TokenExchangeException(ErrorCodes.NotRecorded, ExchangeStage.Record, $"The journal '{ExceptionText.Clean(Path, 200)}' could not be written ({ExceptionText.Clean(failed.Message)}); nothing is handed out.", failed)
            {
                Target = entry.Target, IsTransient = true, Hint = "Look at the disk of the journal: whether it is full, or read-only, or hangs.",
            };
        }
    }

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
                {
                    change.Written?.TrySetResult();
                    continue;
                }
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
            if (_isBroken || (_file.Length + text.Length > RewriteFrom && _file.Length > 2 * _openLength && !OperatingSystem.IsWindows()))
                _file.Replace([_header, .. _open.Values.Select(line => line.Text)]);
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

    private void Apply(Change change, MemoryStream text)
    {
        long number = change.Number;
        if (change.Line is { } line)
        {
            Forget(number);
            _open.Add(number, line);
            _openLength += line.Text.Length;
            text.Write(line.Text);
            if (line.Credential is not null)
                _numberOf[line.Credential] = number;
            // What was renewed stands here once.
            if (line.Thing is { } thing && _numberOfThing.Remove(thing, out long renewed) && renewed != number && Forget(renewed))
                text.Write(JournalText.OfEnd(renewed, "Renewed"));
            if (line.Thing is not null)
                _numberOfThing[line.Thing.Value] = number;
            return;
        }
        if (change.Credential is not null && !_numberOf.TryGetValue(change.Credential, out number))
            return;   // it was never written down, or stands here as its renewal
        if (Forget(number))
            text.Write(JournalText.OfEnd(number, change.End!));
    }

    private bool Forget(long number)
    {
        if (!_open.Remove(number, out Line? line))
            return false;
        _openLength -= line.Text.Length;
        if (line.Credential is not null)
            _numberOf.Remove(line.Credential);   // nobody ends what was renewed: here it would stay, and hold all that was issued before it
        if (line.Thing is { } thing && _numberOfThing.GetValueOrDefault(thing) == number)
            _numberOfThing.Remove(thing);
        return true;
    }

    /// <param name="Text">What is written.</param>
    /// <param name="Thing">What it is at its issuer: its handle, or without one its fingerprint. Null: not known yet.</param>
    /// <param name="Credential">What was issued; null while it was not.</param>
    private sealed record Line(byte[] Text, (string Target, string Thing)? Thing, Credential? Credential)
    {
        public static Line Of(JournalEntry entry, Credential? credential) => new(JournalText.Of(entry), (entry.Handle ?? entry.Fingerprint) is { } thing ? (entry.Target, thing) : null, credential);
    }

    /// <param name="Number">Of the entry; of a credential that ends it is looked up.</param>
    /// <param name="Line">What is written; null where something ends.</param>
    /// <param name="Credential">What ends, if the number is not known.</param>
    /// <param name="End">How it ended; null: it did not.</param>
    /// <param name="Written">Told when it is on the disk; null: nobody waits.</param>
    private sealed record Change(long Number, Line? Line, Credential? Credential, string? End, TaskCompletionSource? Written);
}
