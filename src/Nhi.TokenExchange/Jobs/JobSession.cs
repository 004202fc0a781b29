namespace Nhi.TokenExchange;

/// <summary>One running job: gives the providers of its targets, and ends every credential when it ends.</summary>
/// <remarks>
/// Any number of sessions may run in one process; they share nothing. Dispose it at the job's end (<c>await using</c>), or call
/// <see cref="CompleteAsync"/> to see the report. SIGTERM, SIGINT, SIGQUIT and SIGHUP end it too, before they end the process, unless
/// <see cref="TokenExchangeBuilder.EndOnSignals"/> is off. Safe to use from any number of threads.
/// </remarks>
public sealed class JobSession : IAsyncDisposable, IDisposable
{
    private readonly Dictionary<string, TargetRuntime> _targets = new(StringComparer.Ordinal);
    // The sources are cancelled at the end and never disposed: callers may still register with the token, and neither has a timer.
    // The rest is disposed where the job ends (EndAsync), which every Dispose goes through.
#pragma warning disable CA2213
    private readonly CancellationTokenSource _ended = new();
    private readonly CancellationTokenSource _abandoned = new();
    private readonly IDisposable _policyChanges;
    private readonly JobEndSignals? _signals;
    private readonly KillSwitch? _killSwitch;
    private readonly LongestDuration? _longest;
#pragma warning restore CA2213
    private readonly FlightNumbers _numbers = new();
    private readonly LeaseEnding _ending;
    private readonly TaskCompletionSource<EndCause> _cause = new();   // the first one counts
    private readonly Lazy<Task<JobReport>> _completion;
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private JobSession(SessionPlan plan)
    {
        Plan = plan;
        Clock = new AgreedClock(plan.Time);
        Backchannel = IssuerBackchannel.Create(plan.Time, Jitter, plan.Transport, plan.Roots);
        _ending = new LeaseEnding(this);
        Leases = new LeaseSet(Clock, _ending.NoteExpired, _ending.EndOverdue);
        foreach (TargetPlan target in plan.Targets)
            _targets.Add(target.Name, target.Exchanger.CreateRuntime(this, target));
        _completion = new Lazy<Task<JobReport>>(() => Task.Run(EndAsync));
        _policyChanges = Microsoft.Extensions.Primitives.ChangeToken.OnChange(plan.Policy.GetChangeToken, OnPolicyChanged);
        _signals = plan.EndOnSignals ? new JobEndSignals(this) : null;
        _killSwitch = plan.KillSwitch is { } path ? new KillSwitch(this, path) : null;
        _longest = plan.MaxDuration is { } limit ? new LongestDuration(this, limit) : null;
    }

    /// <summary>What is said about the job.</summary>
    public JobContext Context => Plan.Job;

    /// <summary>Cancelled when the job begins to end: from then on providers throw.</summary>
    public CancellationToken Ended => _ended.Token;

    internal SessionPlan Plan { get; }

    internal AgreedClock Clock { get; }

    internal LeaseSet Leases { get; }

    internal HttpMessageInvoker Backchannel { get; }

    internal IReadOnlyCollection<TargetRuntime> Targets => _targets.Values;

    /// <summary>Completes when nothing of the job is in use any more: it has ended, and its last flight has landed.</summary>
    internal Task Released => _released.Task;

    /// <summary>Cancelled when the job's end has run out of time: exchanges in the air are given up.</summary>
    internal CancellationToken Abandoned => _abandoned.Token;

    /// <summary>Starts a job.</summary>
    /// <param name="compose">Declares identities, targets and the rest. Does no I/O.</param>
    /// <param name="cancellationToken">Gives up the start.</param>
    /// <exception cref="TokenExchangeException">The composition is wrong; the message names every error.</exception>
    public static Task<JobSession> StartAsync(Action<TokenExchangeBuilder> compose, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(compose);
        cancellationToken.ThrowIfCancellationRequested();
        var builder = new TokenExchangeBuilder();
        compose(builder);
        return Task.FromResult(Start(builder.Freeze()));
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

    /// <summary>Ends the job: providers throw from now on, and each credential is ended at its issuer or accounted for. The first call does it; all get its report.</summary>
    /// <param name="cancellationToken">Stops waiting; the ending goes on.</param>
    public Task<JobReport> CompleteAsync(CancellationToken cancellationToken = default)
    {
        _cause.TrySetResult(EndCause.Completed);
        return _completion.Value.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the job before its time, as <see cref="CompleteAsync"/> does: when this returns its task, nothing is handed out any more, and callers are told the reason (NHI7002). The audit of each credential and the log tell it too.</summary>
    /// <param name="reason">Why, and on whose word. Its first line counts, 200 characters of it; no secret.</param>
    /// <param name="cancellationToken">Stops waiting; the ending goes on.</param>
    /// <returns>How the credentials ended. Of a job that has ended already, its report; nothing else changes then.</returns>
    public Task<JobReport> RevokeAsync(string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        return RevokeAsync(EndCause.Revoked("code", reason)).WaitAsync(cancellationToken);
    }

    /// <summary>Ends one credential of the job: when this returns its task, it is handed out no more, and who asks gets another. What was got with it, by targets that go through its own, lives on.</summary>
    /// <param name="credential">A credential that a provider of this job gave.</param>
    /// <param name="reason">Why, and on whose word; for the audit. As of the whole job.</param>
    /// <param name="cancellationToken">Stops waiting; the revocation goes on.</param>
    /// <returns>What is known to be true of it then. <see cref="LeaseEnd.AlreadyGone"/> also where it was ended before, or somebody else is at it: the audit tells how that ended.</returns>
    /// <exception cref="ArgumentException">The credential is not of this job.</exception>
    public Task<LeaseEnd> RevokeCredentialAsync(Credential credential, string reason, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(credential);
        ArgumentNullException.ThrowIfNull(reason);
        if (credential.Lease.Owner is not { } owner || owner.Session != this)
            throw new ArgumentException("The credential is not of this job.", nameof(credential));
        owner.Withdraw(credential);
        owner.Withdraw(Leases.Newest(credential));
        return Task.Run(() => _ending.EndOneAsync(credential, EndCause.WhyOf("code", reason)), CancellationToken.None).WaitAsync(cancellationToken);
    }

    /// <summary>As <see cref="CompleteAsync"/>; the report goes to the log.</summary>
    public async ValueTask DisposeAsync() => await CompleteAsync().ConfigureAwait(false);

    /// <summary>As <see cref="DisposeAsync"/>, for callers that can't await: blocks until the job has ended, at most the time of <see cref="TokenExchangeBuilder.EndWithin"/> and a little more.</summary>
    public void Dispose() => Blocking.Wait(DisposeAsync().AsTask());

    internal static JobSession Start(SessionPlan plan)
    {
        var session = new JobSession(plan);
        plan.Meter.Add(session);
        plan.Logger.JobStarted(session.Context, string.Join(", ", session._targets.Keys));
        session._killSwitch?.Watch();
        return session;
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

    /// <summary>What callers are told once the job has ended.</summary>
    internal TokenExchangeException JobEnded(string target) => Cause.ErrorFor(target);

    /// <summary>Ends the job now; what the first caller says is why.</summary>
    internal Task<JobReport> RevokeAsync(EndCause cause)
    {
        _cause.TrySetResult(cause);
        Shut();
        return _completion.Value;
    }

    /// <summary>Records an event; what can't be recorded is an error.</summary>
    internal async ValueTask RecordAsync(AuditEvent auditEvent, CancellationToken cancellationToken)
    {
        try
        {
            await _ending.WriteAsync(auditEvent, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new TokenExchangeException(ErrorCodes.NotRecorded, ExchangeStage.Record, $"The audit could not record '{auditEvent.Kind}' ({exception.GetType().Name}); nothing is handed out.", ForeignException.Of(exception))
            {
                Target = auditEvent.Target, IsTransient = true, Hint = "Look at the audit sink.",
            };
        }
    }

    /// <summary>Records an event that tells of something that has happened already; a failure of that goes to the log.</summary>
    internal Task TryRecordAsync(Func<AuditEvent> auditEvent) => _ending.TryRecordAsync(auditEvent);

    /// <summary>Chance, from 0 up to but not including 1, whatever the given source does.</summary>
    internal double Jitter()
    {
        try
        {
            return Plan.Jitter() is >= 0 and < 1 and double jitter ? jitter : 0.5;
        }
        catch (Exception)   // no flight hangs or fails for want of chance
        {
            return 0.5;
        }
    }

    /// <summary>Ends a lease if nobody else does.</summary>
    /// <summary>Ends a registered lease when the end that is assumed for it comes.</summary>
    internal void WatchAssumedEnd(Credential credential) => _ = _ending.WatchAssumedEndAsync(credential);

    internal Task EndLeaseAsync(Credential credential, string reason) => _ending.EndAsync(credential, reason);

    private EndCause Cause => _cause.Task.IsCompletedSuccessfully ? Blocking.Wait(_cause.Task) : EndCause.Completed;

    // Any number of times, by anybody.
    private void Shut()
    {
        Leases.Close();
        foreach (TargetRuntime target in _targets.Values)
            target.End();
    }

    private async Task<JobReport> EndAsync()
    {
        Shut();
        EndCause cause = Cause;
        if (cause != EndCause.Completed)
            Plan.Logger.JobCutShort(Context, cause.Reason);
        _killSwitch?.Dispose();
        _longest?.Dispose();
        using var deadline = new CancellationTokenSource(Plan.EndWithin, Plan.Time);
        Task told = TellAsync(_ended);   // the job's own callbacks run beside the ending; what they do can't hold it up

        await _ending.EndAllAsync(Leases.TakeAll(), cause.Reason, deadline.Token).ConfigureAwait(false);
        if (!await Leases.Drained.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false))
            _ = TellAsync(_abandoned);
        // What a flight registered that took off before it saw the end (LeaseSet's argument).
        await _ending.EndAllAsync(Leases.TakeAll(), cause.Reason, deadline.Token).ConfigureAwait(false);
        await told.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false);

        var report = new JobReport(Context, _ending.Outcomes(), Leases.FlightsInTheAir);
        if (report.AllEnded)
            Plan.Logger.JobCompleted(Context, report.ToString());
        else
            Plan.Logger.JobCompletedWithOrphans(Context, report.ToString());
        Plan.Meter.Remove(this);
        _policyChanges.Dispose();
        _signals?.Dispose();
        Task released = ReleaseWhenDrainedAsync();
        if (report.FlightsInTheAir == 0)
            await released.IsDoneBeforeAsync(deadline.Token).ConfigureAwait(false);
        return report;
    }

    // A flight still in the air keeps back channel and plug-ins in use.
    private async Task ReleaseWhenDrainedAsync()
    {
        await Leases.Drained.ConfigureAwait(false);
        Backchannel.Dispose();
        await Plan.DisposeOwnedAsync().ConfigureAwait(false);
        _released.TrySetResult();
    }

    private async Task TellAsync(CancellationTokenSource source)
    {
        try
        {
            await source.CancelAsync().ConfigureAwait(false);
        }
        catch (Exception exception)   // a callback that is not ours must not keep credentials alive
        {
            Plan.Logger.EndedCallbackFailed(Context, exception.GetType().Name);
        }
    }

    private void OnPolicyChanged()
    {
        foreach (TargetRuntime target in _targets.Values)
            _ending.EndInBackground(target.Invalidate(), "the policy changed");
    }
}
