namespace Nhi.TokenExchange;

/// <summary>One running job: gives the providers of its targets, and ends every credential when it ends.</summary>
/// <remarks>
/// Any number of sessions may run in one process; they share nothing. Dispose it at the job's end (<c>await using</c>), or call
/// <see cref="CompleteAsync"/> to see the report. SIGTERM, SIGINT, SIGQUIT and SIGHUP end it too, before they end the process, unless
/// <see cref="TokenExchangeBuilder.EndOnSignals"/> is off; and so do <see cref="Environment.Exit"/> and an exception that nobody caught. Safe to use from any number of threads.
/// </remarks>
public sealed partial class JobSession : IAsyncDisposable, IDisposable
{
    private readonly Dictionary<string, TargetRuntime> _targets = new(StringComparer.Ordinal);
    // The sources are cancelled at the end and never disposed: callers may still register with the token, and neither has a timer.
    // The rest is disposed where the job ends (EndAsync), which every Dispose goes through.
#pragma warning disable CA2213
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _over = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly IDisposable _policyChanges;
    private readonly JobEndSignals? _signals;
    private readonly KillSwitch? _killSwitch;
    private readonly LongestDuration? _longest;
#pragma warning restore CA2213
    private readonly FlightNumbers _numbers = new();
    private readonly LeaseAccounts _accounts;
    private readonly LeaseEnding _ending;
    private readonly WatchedEnd _watchedEnd;
    private readonly Lazy<Task<JobReport>> _completion;
    private readonly TaskCompletionSource<EndCause> _cause = new(TaskCreationOptions.RunContinuationsAsynchronously);   // the first one counts
    private readonly TaskCompletionSource<EndCause> _inOrder = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private JobSession(SessionPlan plan, bool recoversFromOtherHosts = false, bool onlyRecovers = false)
    {
        OnlyRecovers = onlyRecovers;
        Plan = plan;
        Clock = new AgreedClock(plan.Time);
        Backchannel = IssuerBackchannel.Create(plan.Time, Jitter, plan.Transport, plan.Roots, plan.Around);
        Audit = new JobAudit(plan);
        _accounts = new LeaseAccounts(this);
        _ending = new LeaseEnding(this, _accounts);
        _watchedEnd = new WatchedEnd(this, _ending);
        Leases = new LeaseSet(Clock, _accounts.NoteExpired, _ending.NoteOverdue);
        JournalFolder? folder = plan.Journal is { } path ? JournalFolder.Open(path, plan.JournalDisk) : null;
        Recovery = new JournalRecovery(this, folder, recoversFromOtherHosts);
        Journal = folder is null ? null : new JobJournal(this, folder);
        foreach (TargetPlan target in plan.Targets)
            _targets.Add(target.Name, target.Exchanger.CreateRuntime(this, target));
        _completion = new Lazy<Task<JobReport>>(() => Task.Run(EndAsync));
        try
        {
            Audit.Open();
            _policyChanges = Microsoft.Extensions.Primitives.ChangeToken.OnChange(plan.Policy.GetChangeToken, OnPolicyChanged);
            _signals = plan.EndOnSignals ? new JobEndSignals() : null;
            _killSwitch = plan.KillSwitch is { } file ? new KillSwitch(this, file) : null;
            _longest = plan.MaxDuration is { } limit ? new LongestDuration(this, limit) : null;
        }
        catch
        {
            _policyChanges?.Dispose();
            _signals?.Dispose();
            _killSwitch?.Dispose();
            Blocking.Wait(Task.WhenAll(Audit.EndAndShipAsync(), Journal?.DisposeAsync().AsTask() ?? Task.CompletedTask));   // else they would seem to be of a job that runs
            throw;
        }
    }

    /// <summary>What is said about the job.</summary>
    public JobContext Context => Plan.Job;

    /// <summary>Cancelled when the job begins to end: from then on providers throw.</summary>
    public CancellationToken Ended => _ended.Token;

    internal SessionPlan Plan { get; }

    internal AgreedClock Clock { get; }

    internal JobAudit Audit { get; }

    internal LeaseSet Leases { get; }

    /// <summary>Null where the settings name no folder of journals.</summary>
    internal JobJournal? Journal { get; }

    internal JournalRecovery Recovery { get; }

    /// <summary>Whether there is no job: only what others left behind is dealt with.</summary>
    internal bool OnlyRecovers { get; }

    internal HttpMessageInvoker Backchannel { get; }

    internal IReadOnlyCollection<TargetRuntime> Targets => _targets.Values;

    /// <summary>Completes when nothing of the job is in use any more: it has ended, and its last flight has landed.</summary>
    internal Task Released => _released.Task;

    /// <summary>As <see cref="Ended"/>, for what is the job's own: a callback of its user's there holds up none of these.</summary>
    internal CancellationToken Over => _over.Token;

    /// <summary>Cancelled when the job's end has run out of time: exchanges in the air are given up.</summary>
    internal CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Starts a job.</summary>
    /// <param name="compose">Declares identities, targets and the rest. Does no I/O.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="TokenExchangeException">The composition is wrong; the message names every error. Or the folder of journals is not safe (NHI7004).</exception>
    public static async Task<JobSession> StartAsync(Action<TokenExchangeBuilder> compose, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(compose);
        cancellationToken.ThrowIfCancellationRequested();
        var builder = new TokenExchangeBuilder();
        compose(builder);
        return await OrDisposeAsync(builder.Freeze(), Start).ConfigureAwait(false);
    }

    /// <summary>Gives the provider of a target.</summary>
    /// <typeparam name="TCredential">The kind of credential that the target gives.</typeparam>
    /// <param name="target">The name of the target.</param>
    /// <exception cref="TokenExchangeException">There is no such target, or it gives another kind; the message says what there is.</exception>
    public CredentialProvider<TCredential> Provider<TCredential>(string target)
        where TCredential : Credential => Provider<TCredential>(target, asker: null);

    /// <summary>As the public one; an error says for whom it was.</summary>
    internal CredentialProvider<TCredential> Provider<TCredential>(string target, string? asker)
        where TCredential : Credential
    {
        TargetRuntime runtime = Runtime(target, asker);
        return runtime.Provider as CredentialProvider<TCredential>
            ?? throw new TokenExchangeException(ErrorCodes.WrongCredentialKind, ExchangeStage.Configure, $"The target gives {runtime.Plan.Exchanger.CredentialType.Name}, not {typeof(TCredential).Name}; targets that give that: {Names(other => other.Plan.Exchanger.CredentialType == typeof(TCredential))}.") { Target = target };
    }

    /// <summary>Makes a handler that sets the target's credential on requests to its allowed origins: for <c>new HttpClient(job.CreateHandler("warehouse"))</c>.</summary>
    /// <param name="target">The name of a target that gives a <see cref="BearerToken"/>.</param>
    /// <param name="inner">What sends the requests. Default: a handler of its own, which follows no redirect and keeps no cookie (a session cookie would outlive the credential).</param>
    /// <returns>A handler that disposes its inner one, given or not, as every <see cref="DelegatingHandler"/> does. To keep a shared inner handler, use <c>new HttpClient(handler, disposeHandler: false)</c>. Declare the client after the job, so that it goes first.</returns>
    /// <exception cref="TokenExchangeException">There is no such target, it gives another kind of credential, or nothing says where it may go.</exception>
    public CredentialHandler CreateHandler(string target, HttpMessageHandler? inner = null) => CreateHandler(target, inner, asker: null);

    /// <summary>As the public one; an error says for whom it was.</summary>
    internal CredentialHandler CreateHandler(string target, HttpMessageHandler? inner, string? asker)
    {
        CredentialProvider<BearerToken> provider = Provider<BearerToken>(target, asker);
        if (provider.AllowedOrigins.Count == 0)
        {
            throw new TokenExchangeException(ErrorCodes.OriginRefused, ExchangeStage.Configure, "The target names no AllowedOrigins, and its issuer has no origin of its own.")
            {
                Target = target, Hint = "Name the origins that the credential may go to, such as https://warehouse.example, in the target's AllowedOrigins.",
            };
        }
        return new CredentialHandler(provider, provider.AllowedOrigins) { InnerHandler = inner ?? CredentialHandler.NewSockets() };
    }

    /// <summary>
    /// Ends the job: providers throw from now on, and each credential is ended at its issuer or accounted for. The first call does it; all get its report. While something is left that the recovery at the start can end only
    /// with credentials of the job, it has a quarter of <see cref="TokenExchangeBuilder.EndWithin"/> first, in which providers answer.
    /// </summary>
    /// <param name="cancellationToken">Stops waiting; the ending goes on.</param>
    public Task<JobReport> CompleteAsync(CancellationToken cancellationToken = default) => EndInOrderAsync(EndCause.Completed).WaitAsync(cancellationToken);

    /// <summary>Ends the job before its time, as <see cref="CompleteAsync"/> does: when this returns its task, nothing is handed out any more, and callers are told the reason (NHI7002). The audit of each credential and the log tell it too.</summary>
    /// <param name="reason">Why, and on whose word. Its first line counts, 200 characters of it; no secret.</param>
    /// <param name="cancellationToken">Stops waiting; the ending goes on.</param>
    /// <returns>How the credentials ended. Of a job that has ended already, its report; nothing else changes then.</returns>
    public Task<JobReport> RevokeAsync(string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return RevokeAsync(EndCause.Revoked("code", reason)).WaitAsync(cancellationToken);
    }

    /// <summary>As <see cref="CompleteAsync"/>; the report goes to the log.</summary>
    public async ValueTask DisposeAsync() => await EndInOrderAsync(EndCause.Disposed).ConfigureAwait(false);

    /// <summary>As <see cref="DisposeAsync"/>, for callers that can't await: blocks until the job has ended, at most the time of <see cref="TokenExchangeBuilder.EndWithin"/> and a little more.</summary>
    public void Dispose() => Blocking.Wait(DisposeAsync().AsTask());

    internal static JobSession Start(SessionPlan plan)
    {
        var session = new JobSession(plan);
        plan.Meter.Add(session);
        ProcessEnd.Add(session);
        plan.Logger.JobStarted(session.Context, string.Join(", ", session._targets.Keys));
        foreach (TargetRuntime target in session.Targets)
        {
            target.TellExposure();
            target.TellOfStaticKey();
        }
        session._killSwitch?.Watch();
        session.Audit.StartShipping(session);
        session.Recovery.Start();
        return session;
    }

    // A folder of journals may be refused when the plan is made already.
    private static async Task<JobSession> OrDisposeAsync(SessionPlan plan, Func<SessionPlan, JobSession> start)
    {
        try
        {
            return start(plan);
        }
        catch
        {
            await plan.DisposeOwnedAsync().ConfigureAwait(false);
            throw;
        }
    }

    internal TargetRuntime Runtime(string target, string? asker = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(target);
        return _targets.TryGetValue(target, out TargetRuntime? runtime) ? runtime : throw UnknownTarget.Of(target, [.. _targets.Keys], asker);
    }

    private string Names(Func<TargetRuntime, bool> which) =>
        string.Join(", ", _targets.Values.Where(which).Select(runtime => runtime.Target)) is { Length: > 0 } names ? names : "none";

    internal long NextFlightNumber() => _numbers.Next();

    internal Guid FlightId(long number) => _numbers.IdOf(number);

    /// <summary>Now, for the audit.</summary>
    internal AuditMoment Moment => new(_numbers.IdOf(0), Clock.Now, Clock.Elapsed);

    /// <summary>What callers are told once the job has ended.</summary>
    internal TokenExchangeException JobEnded(string target) => Cause.ErrorFor(target);

    /// <summary>Ends the job now; what the first caller says is why.</summary>
    internal Task<JobReport> RevokeAsync(EndCause cause)
    {
        NoteCause(cause);
        Shut();
        return _completion.Value;
    }

    /// <summary>Ends the job as it is meant to end, as <see cref="CompleteAsync"/> does; what the first caller says is why.</summary>
    internal Task<JobReport> EndInOrderAsync(EndCause cause)
    {
        _inOrder.TrySetResult(cause);
        if (!Recovery.WantsHeadStart)   // else the job may be cut short until it is shut
            NoteCause(Cause);
        return _completion.Value;
    }

    internal double Jitter() => Plan.Chance();

    /// <summary>How the credentials ended; null while the job runs or ends.</summary>
    internal JobReport? Report => _completion.IsValueCreated && _completion.Value.IsCompletedSuccessfully ? Blocking.Wait(_completion.Value) : null;

    /// <summary>How many credentials of a target should have been ended and could not be, up to now.</summary>
    internal int Unrevoked(TargetRuntime target) => _accounts.Unrevoked(target);

    /// <summary>Ends a registered lease when the end that is assumed for it comes.</summary>
    internal void WatchAssumedEnd(Credential credential) => _watchedEnd.WatchAssumed(credential);

    /// <summary>Ends a registered lease when its permit is over.</summary>
    internal void WatchPermitEnd(Credential credential, DateTimeOffset endsAt) => _watchedEnd.WatchPermit(credential, endsAt);

    /// <summary>Ends a lease if nobody else does.</summary>
    internal Task EndLeaseAsync(Credential credential, string reason) => _ending.EndAsync(credential, reason);

    /// <summary>A living credential of a target but for one.</summary>
    internal Credential? OtherOf(TargetRuntime target, string fingerprint) => _ending.OtherOf(target, fingerprint);

    /// <summary>Ends what a failed exchange may have made.</summary>
    internal Task EndAnnouncedAsync(TargetRuntime target, JournalEntry announced) => _ending.EndAnnouncedAsync(target, announced);

    private EndCause Cause => _cause.Task.IsCompleted ? Blocking.Wait(_cause.Task) : _inOrder.Task.IsCompleted ? Blocking.Wait(_inOrder.Task) : EndCause.Completed;

    private void NoteCause(EndCause cause) => _cause.TrySetResult(cause);

    private void Shut()   // any number of times, by anybody
    {
        Leases.Close();
        foreach (TargetRuntime target in _targets.Values)
            target.End();
        Recovery.NoteShut();
    }

    private async Task<JobReport> EndAsync()
    {
        TimeSpan waited = !Cause.IsCutShort ? await Recovery.GiveHeadStartAsync(Plan.EndWithin / 4).ConfigureAwait(false) : TimeSpan.Zero;
        NoteCause(Cause);
        Shut();
        _killSwitch?.Dispose();
        _longest?.Dispose();
        return await new JobEnding(this, _ending, _accounts, [_over, _ended], _abandoned).RunAsync(Cause, [_policyChanges, _signals], waited).ConfigureAwait(false);
    }

    internal void NoteReleased()
    {
        ProcessEnd.Remove(this);
        _released.TrySetResult();
    }

    private void OnPolicyChanged()
    {
        int era = Leases.BeginEra();
        Credential[] withdrawn = [.. _targets.Values.SelectMany(target => target.Invalidate())];   // all of them before the first is ended: an issuer may let one end with another
        _ending.EndInBackground([.. withdrawn.Union(Leases.LiveBefore(era))], "the policy changed");
    }
}
