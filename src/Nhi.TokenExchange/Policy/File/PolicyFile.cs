using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>A policy in a file, followed while it changes. A version that can't be read, does not compile, or is older than the one in force takes nothing away and gives nothing: the one in force stays, and log and health say so.</summary>
/// <remarks>
/// The system tells of changes in the folder; and every 5 seconds the file is read anyway, since a watch says nothing on network mounts and when it is told nothing. Looks are taken one after the other by one loop, which alone
/// writes what is in force: an immutable pair of document and change token, read by a single reference. It is replaced before the token of the old one fires, so that who asks after the change is decided by the new one.
/// </remarks>
internal sealed class PolicyFile : IAccessPolicy, IExposurePolicy, IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // Where a ConfigMap of Kubernetes has its files behind a link, this is what is replaced.
    private const string SwappedFolder = "..data";

    private readonly string _path;
    private readonly ILogger _logger;
    private readonly Action<PolicyDocument> _compare;
    private readonly Channel<bool> _looks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly FileSystemWatcher? _watcher;
    private readonly ITimer _timer;
    private readonly Task _looking;
    private Version _inForce;
    private (string Digest, string Reason)? _refused;

    /// <summary>Follows a file.</summary>
    /// <param name="path">Absolute.</param>
    /// <param name="first">What was read from it a moment ago.</param>
    /// <param name="time">By which it is looked at.</param>
    /// <param name="logger">Told of every change.</param>
    /// <param name="compare">Compares a version that comes into force with what is declared, for the log.</param>
    public PolicyFile(string path, PolicyDocument first, TimeProvider time, ILogger logger, Action<PolicyDocument> compare)
    {
        _path = path;
        _compare = compare;
        _logger = logger;
        _inForce = new Version(first, new CancellationTokenSource());
        Tell(first);
        // The looks belong to nobody's call.
        using AsyncFlowControl noFlow = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _looking = Task.Run(LookOnAsync);
        _watcher = Watch();
        _timer = time.CreateTimer(_ => LookSoon(), null, Interval, Interval);
        LookSoon();   // it may have changed before it was watched
    }

    /// <summary>The document in force.</summary>
    public PolicyDocument Document => _inForce.Document;

    /// <summary>Why the file as it is now is not in force; null if it is.</summary>
    public string? Trouble { get; private set; }

    public bool LooksAtExposure => _inForce.Document.LooksAtExposure;

    public string Revision => _inForce.Document.Revision;

    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken) => new(_inForce.Document.Decide(request));

    public IChangeToken GetChangeToken() => new CancellationChangeToken(_inForce.Changed.Token);

    public async ValueTask DisposeAsync()
    {
        _watcher?.Dispose();
        await _timer.DisposeAsync().ConfigureAwait(false);
        _looks.Writer.TryComplete();
        await _looking.ConfigureAwait(false);
    }

    private void LookSoon() => _looks.Writer.TryWrite(true);

    private async Task LookOnAsync()
    {
        await foreach (bool _ in _looks.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                Look();
            }
            catch (Exception exception)   // nothing that a file does may stop the looks; what is in force stays
            {
                Refuse($"it could not be looked at ({exception.GetType().Name})");
            }
        }
    }

    private void Look()
    {
        if (PolicyFileReading.TryRead(_path, out string what, out _) is not { } bytes)
        {
            Refuse($"the file {what}");
            return;
        }
        PolicyDocument current = _inForce.Document;
        string digest = PolicyDocument.DigestOf(bytes);
        if (digest == current.Digest)
        {
            if (Trouble is not null)
                _logger.PolicyIsBack(_path, current.Revision);
            Trouble = null;
            return;
        }
        if (_refused is { } before && before.Digest == digest)
        {
            Refuse(before.Reason);
            return;
        }
        var errors = new PolicyErrors(current.Name);
        PolicyDocument? next = PolicyDocument.TryParse(bytes, errors);
        string? reason = next is null ? errors.ToString()
            : next.Number > current.Number ? null
            : FormattableString.Invariant($"its revision {next.Number} is {(next.Number == current.Number ? "the one in force, with other contents: raise it" : $"older than {current.Number}: a file that was put back")}");
        if (reason is null)
        {
            Replace(next!);
            return;
        }
        _refused = (digest, reason);
        Refuse(reason);
    }

    private void Replace(PolicyDocument next)
    {
        CancellationTokenSource changed = _inForce.Changed;
        _inForce = new Version(next, new CancellationTokenSource());
        Trouble = null;
        _refused = null;   // by what was in force before
        Tell(next);
        changed.Cancel();   // slots are emptied and flights doomed before this returns
        _compare(next);
    }

    private void Tell(PolicyDocument document)
    {
        _logger.PolicyInForce(_path, document.Revision, document.Rules.Count);
        if (document.IsObserved)
            _logger.PolicyOnlyObserves(_path, document.Revision);
    }

    // Each trouble is told once.
    private void Refuse(string reason)
    {
        if (Trouble == reason)
            return;
        _logger.PolicyRefused(_path, _inForce.Document.Revision, reason);
        Trouble = reason;
    }

    private FileSystemWatcher? Watch()
    {
        try
        {
            var watcher = new FileSystemWatcher(Path.GetDirectoryName(_path)!) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.CreationTime };
            watcher.Created += (_, change) => LookIfMeant(change.Name);
            watcher.Changed += (_, change) => LookIfMeant(change.Name);
            watcher.Deleted += (_, change) => LookIfMeant(change.Name);
            watcher.Renamed += (_, change) => LookIfMeant(change.Name);
            watcher.Error += (_, _) => LookSoon();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or PlatformNotSupportedException)
        {
            _logger.PolicyIsNotWatched(_path, exception.GetType().Name);   // the watches of this user may be used up
            return null;
        }
    }

    private void LookIfMeant(string? name)
    {
        if (name is null or SwappedFolder || string.Equals(name, Path.GetFileName(_path), StringComparison.OrdinalIgnoreCase))
            LookSoon();
    }

    private sealed record Version(PolicyDocument Document, CancellationTokenSource Changed);
}
