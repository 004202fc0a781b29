using Nhi.TokenExchange.Tests.Exchange;

namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>A whole job for one case of mutation: nothing but our exceptions may come out, and what is said is kept. On the wire of <see cref="AnsweredJob"/>, with whatever exchanger and source the case draws.</summary>
internal sealed class MutationJob : IAsyncDisposable
{
    private readonly JobSession _session;
    private readonly SkippingTime _time;
    private readonly RecordingSink _audit;
    private readonly LoggedText _logs;
    private readonly List<TokenExchangeException> _failures = [];
    private JobReport? _report;

    private MutationJob(JobSession session, SkippingTime time, RecordingSink audit, LoggedText logs)
    {
        _session = session;
        _time = time;
        _audit = audit;
        _logs = logs;
    }

    /// <summary>What has come so far.</summary>
    public IReadOnlyList<TokenExchangeException> Failures => _failures;

    /// <summary>The job's clock when the last credential was handed out: what skips waits moves it.</summary>
    public DateTimeOffset HandedOutAt { get; private set; }

    /// <summary>How many exchanges were begun so far: calls of the token endpoint, each with its tries.</summary>
    public int Exchanges => _audit.Kinds.Count(kind => kind == AuditEventKind.Exchanging);

    /// <summary>How long was waited so far.</summary>
    public TimeSpan Waited => _time.Waits.Aggregate(TimeSpan.Zero, (sum, wait) => sum + wait);

    /// <summary>What a target hands a credential out at most, unless it says otherwise.</summary>
    public static TimeSpan LongestHandOut { get; } = new TargetOptions().MaxLifetime;

    /// <summary>Gives this proof.</summary>
    public static IWorkloadIdentitySource Source(string proof) => IdentitySources.From((_, _) => new(new SubjectToken(proof, SubjectTokenType.Jwt)));

    /// <summary>A job with the one target "warehouse".</summary>
    public static Task<MutationJob> StartAsync(HttpMessageHandler wire, TokenExchanger<BearerToken> exchanger, IWorkloadIdentitySource source, params string[] scopes) =>
        StartAsync(wire, b => b.Identity("job", source, ActsFor.Workload).Target("warehouse", exchanger, "job", scopes));

    /// <summary>A job with other targets.</summary>
    public static async Task<MutationJob> StartAsync(HttpMessageHandler wire, Action<TokenExchangeBuilder> compose)
    {
        var time = new SkippingTime();
        var audit = new RecordingSink();
        var logs = new LoggedText();
        JobSession session = await JobSession.StartAsync(b =>
        {
            compose(b);
            b.Audit(audit).Logging(logs).Time(time).Jitter(() => 0.5).Transport(() => wire).EndOnSignals(false);
        });
        return new MutationJob(session, time, audit, logs);
    }

    /// <summary>The credential of "warehouse", or null if one of our exceptions came, with a code and a target.</summary>
    public Task<BearerToken?> GetAsync() => GetAsync<BearerToken>("warehouse");

    /// <summary>The credential of a target, or null as above.</summary>
    public Task<T?> GetAsync<T>(string target)
        where T : Credential => TryAsync(target, async session =>
        {
            T credential = await session.Provider<T>(target).GetAsync();
            HandedOutAt = _time.GetUtcNow();
            return credential;
        });

    /// <summary>What comes of a call, or null as above.</summary>
    public async Task<T?> TryAsync<T>(string target, Func<JobSession, Task<T>> call)
        where T : class
    {
        try
        {
            return await call(_session);
        }
        catch (TokenExchangeException failure)
        {
            Assert.That((failure.Code.Length, failure.Target), Is.EqualTo((7, target)));
            // The pipeline wraps whatever else comes out of an exchanger or a source: from ours nothing else may.
            Assert.That(failure.Code, Is.Not.EqualTo(ErrorCodes.ExchangerFailed).And.Not.EqualTo(ErrorCodes.SourceFailed), failure.ToString());
            Assert.That(failure.Message.Where(c => char.IsControl(c) && c is not ('\r' or '\n')), Is.Empty);
            Assert.That(failure.Message.Length, Is.LessThan(3_000));
            _failures.Add(failure);
            return null;
        }
    }

    /// <summary>Holds a credential until its refresh is due, and asks again when that has come to an end.</summary>
    public async Task<T?> RefreshedAsync<T>(string target, T held)
        where T : Credential
    {
        await QuietAsync<T>(target);
        TimeSpan left = held.RefreshAt - _time.GetUtcNow();
        Advance((left > TimeSpan.Zero ? left : TimeSpan.Zero) + TimeSpan.FromSeconds(1));   // the clock of a slot is one of seconds
        await QuietAsync<T>(target);
        await GetAsync<T>(target);
        await QuietAsync<T>(target);
        return await GetAsync<T>(target);
    }

    public void Advance(TimeSpan time) => _time.Advance(time);

    /// <summary>What was handed out last could be used then, and not beyond what it and its target say.</summary>
    public void AssertLives(Credential credential)
    {
        Assert.That(credential.UnusableFrom, Is.GreaterThan(HandedOutAt).And.LessThanOrEqualTo(credential.ExpiresAt));
        Assert.That(credential.UnusableFrom, Is.LessThanOrEqualTo(HandedOutAt + LongestHandOut));
    }

    /// <summary>At an issuer that ends whatever it is asked to, nothing was left that could have been ended: what was refused on arrival, too.</summary>
    public void AssertEnded() => Assert.That(_report!.Leases.Select(lease => lease.End), Has.None.EqualTo(LeaseEnd.Failed), _report.ToString());

    /// <summary>Ends the job and looks for the secret in all that was said.</summary>
    /// <returns>All that was said.</returns>
    public async Task<string> CompleteAsync(string canary)
    {
        _time.SkipsLongDelays = true;
        JobReport report = _report = await _session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => lease.Reason ?? ""), Has.None.Contains("Exception"));
        string said = $"{string.Join('\n', _failures)}\n{report} {string.Join('\n', report.Leases)}\n{_logs.Text}\n{_audit.Text}";
        Assert.That(Canary.FindIn(WithoutHandles(said, canary), canary), Is.Empty, said);
        return said;
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();

    // In this order: a flight stands in its slot before it is counted, and is counted still when it has left its slot.
    private Task QuietAsync<T>(string target)
        where T : Credential => Eventually.HoldsAsync(() => !((SlotProvider<T>)_session.Provider<T>(target)).HasFlight && _session.Leases.FlightsInTheAir == 0, "the landing of the last flight");

    // By a handle (a lease's id, an accessor, a key's id) its owner finds a credential at the issuer: it is no secret, and said whole. One that has the secret in it as it is must not be there at all; an issuer that writes it in in another form has said it itself.
    private string WithoutHandles(string said, string secret) => _audit.Events.Select(one => one.RevocationHandle).OfType<string>().Distinct().Where(handle => !handle.Contains(secret, StringComparison.Ordinal))
        .SelectMany(handle => new[] { handle, ExceptionText.Clean(handle, 300), AuditText.Shown(handle, 300) })
        .Where(shown => shown.Length > 0)
        .Aggregate(said, (text, shown) => text.Replace(shown, "a handle", StringComparison.Ordinal));
}
