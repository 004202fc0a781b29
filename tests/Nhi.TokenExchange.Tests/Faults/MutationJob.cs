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

    public static async Task<MutationJob> StartAsync(AnsweringWire wire, TokenExchanger<BearerToken> exchanger, IWorkloadIdentitySource source, params string[] scopes)
    {
        var time = new SkippingTime();
        var audit = new RecordingSink();
        var logs = new LoggedText();
        JobSession session = await JobSession.StartAsync(b => b
            .Identity("job", source, ActsFor.Workload).Target("warehouse", exchanger, "job", scopes)
            .Audit(audit).Logging(logs).Time(time).Jitter(() => 0.5).Transport(() => wire).EndOnSignals(false));
        return new MutationJob(session, time, audit, logs);
    }

    /// <summary>The credential, or null if one of our exceptions came, with a code and a target.</summary>
    public async Task<BearerToken?> GetAsync()
    {
        try
        {
            BearerToken token = await _session.Provider<BearerToken>("warehouse").GetAsync();
            HandedOutAt = _time.GetUtcNow();
            return token;
        }
        catch (TokenExchangeException failure)
        {
            Assert.That((failure.Code.Length, failure.Target), Is.EqualTo((7, "warehouse")));
            // The pipeline wraps whatever else comes out of an exchanger or a source: from ours nothing else may.
            Assert.That(failure.Code, Is.Not.EqualTo(ErrorCodes.ExchangerFailed).And.Not.EqualTo(ErrorCodes.SourceFailed), failure.ToString());
            Assert.That(failure.Message.Where(c => char.IsControl(c) && c is not ('\r' or '\n')), Is.Empty);
            Assert.That(failure.Message.Length, Is.LessThan(3_000));
            _failures.Add(failure);
            return null;
        }
    }

    /// <summary>Ends the job and looks for the secret in all that was said.</summary>
    /// <returns>All that was said.</returns>
    public async Task<string> CompleteAsync(string canary)
    {
        JobReport report = await _session.CompleteAsync();
        Assert.That(report.Leases.Select(lease => lease.Reason ?? ""), Has.None.Contains("Exception"));
        string said = $"{string.Join('\n', _failures)}\n{report} {string.Join('\n', report.Leases)}\n{_logs.Text}\n{_audit.Text}";
        Assert.That(Canary.FindIn(said, canary), Is.Empty, said);
        return said;
    }

    public ValueTask DisposeAsync() => _session.DisposeAsync();
}
