using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Nhi.TokenExchange.Tests.Policy;

namespace Nhi.TokenExchange.Tests.Exchange;

/// <summary>What is said of a flight's outcome: in its trace, in the counts, and in the log.</summary>
internal sealed class FlightOutcomeTests
{
    // An hour less the margin, less the longest lead: the refresh is due.
    private static readonly TimeSpan RefreshDue = new(0, 39, 50);

    [Test]
    public async Task Each_outcome_has_a_name_in_the_trace_and_is_counted_once()
    {
        using var heard = new Telemetry();
        await using TestJob job = await TestJob.StartAsync(more: b => b.Meters(heard.Meters));
        await FlyAsync();
        job.Time.Advance(RefreshDue);
        await FlyAsync();
        job.Time.Advance(RefreshDue);
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "The issuer is busy.");
        await FlyAsync();
        job.Time.Advance(TimeSpan.FromSeconds(1));
        job.Issuer.Answer = _ => throw Renewals.NoMore("warehouse");
        await FlyAsync();
        job.Issuer.Answer = null;
        job.Issuer.Gate = new Gate();
        await job.Warehouse.GetAsync();
        await job.Issuer.Gate.Reached;
        job.Policy.Change("2", _ => AccessDecision.Permit("all"));
        job.Issuer.Gate.Open();
        await job.QuietAsync();

        Activity[] flights = [.. heard.Activities.Where(activity => activity.OperationName == "nhi.flight")];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(flights.Select(flight => (flight.GetTagItem("nhi.outcome"), flight.GetTagItem("error.type"), flight.Status)), Is.EqualTo(new (object?, object?, ActivityStatusCode)[]
            {
                ("issued", null, ActivityStatusCode.Unset), ("refreshed", null, ActivityStatusCode.Unset), (null, "NHI4003", ActivityStatusCode.Error), ("kept", null, ActivityStatusCode.Unset), ("discarded", null, ActivityStatusCode.Unset),
            }));
            Assert.That(heard.Of("nhi.credential.issued").Select(one => one.Value), Is.EqualTo(new[] { 1.0 }));
            Assert.That(heard.Of("nhi.credential.refreshed").Select(one => one.Value), Is.EqualTo(new[] { 1.0, 1 }), "one of them landed for nobody");
            Assert.That(heard.Of("nhi.exchange.failures"), Is.EqualTo(new[] { new Measured("nhi.exchange.failures", 1, "error.type=NHI4003, nhi.credential.kind=BearerToken, nhi.stage=exchange, nhi.target=warehouse") }));
        }

        async Task FlyAsync()
        {
            await job.Warehouse.GetAsync();
            await job.QuietAsync();
        }
    }

    // A caller found its slot empty, and the job ended before the flight came to a thread: no event may come behind the audit's end.
    [Test]
    public async Task A_flight_that_takes_off_when_its_job_has_ended_begins_nothing_and_is_not_recorded()
    {
        await using TestJob job = await TestJob.StartAsync();
        var target = (TargetRuntime<BearerToken>)job.Session.Runtime("warehouse");
        var late = new Flight(target.NextFlightNumber(), held: null);
        await job.Session.CompleteAsync();
        int recorded = job.Audit.Kinds.Count;

        target.Start(new ExpiringSlot<BearerToken>(target, late), late, null);

        Assert.That((await late.Landed.WaitAsync(TimeSpan.FromMinutes(1)))?.Cause.Code, Is.EqualTo(ErrorCodes.JobEnded));
        Assert.That((job.Audit.Kinds.Count, job.Issuer.Requests.Count), Is.EqualTo((recorded, 0)));
    }

    [TestCase("NHI4003", false, false, 1)]
    [TestCase("NHI4003", true, false, 0, Description = "the record itself is a line of the log")]
    [TestCase("NHI4003", false, true, 0, Description = "the job's end cut it off")]
    [TestCase("NHI7001", false, false, 0)]
    [TestCase("NHI7002", false, false, 0)]
    [TestCase("NHI7003", false, false, 0)]
    public async Task A_first_exchange_that_fails_is_said_once_unless_the_job_s_end_cut_it_off(string code, bool isRecordedInLog, bool jobEnds, int lines)
    {
        using var log = new LeveledLog(LogLevel.Trace);
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Gate = new Gate(), more: b => Recorded(b.Logging(log), isRecordedInLog));
        job.Issuer.Answer = _ => throw new TokenExchangeException(code, ExchangeStage.Exchange, "It says no.") { IssuerError = "busy" };
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        Task<JobReport>? ending = jobEnds ? job.Session.CompleteAsync() : null;
        await Eventually.HoldsAsync(() => job.Session.Leases.IsClosed == jobEnds, "the begin of the end");

        job.Issuer.Gate.Open();
        Assert.That(async () => await asking, Throws.TypeOf<TokenExchangeException>());
        await job.QuietAsync();
        await (ending ?? Task.CompletedTask);

        AuditEvent failed = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed);
        Assert.That(log.Lines.Where(line => line.StartsWith("The exchange for", StringComparison.Ordinal)), Is.EqualTo(Enumerable.Repeat($"The exchange for warehouse failed ({code}, flight {failed.FlightId}): It says no. [busy]", lines)));
    }

    [TestCase("fails", "NHI4003", "the current credential is served on while it is good")]
    [TestCase("is denied", "NHI3001", "the current credential is ended")]
    [TestCase("fails while the job ends", "NHI4003", "the job ends, and nothing is handed out any more")]
    [TestCase("takes too long", "NHI4003", "nothing that is good is held, and callers are told of the failure until an exchange works")]
    public async Task A_refresh_that_brings_nothing_is_said_with_what_is_handed_out_meanwhile(string how, string code, string held)
    {
        using var log = new LeveledLog(LogLevel.Trace);
        await using TestJob job = await TestJob.StartAsync(more: b => b.Logging(log));
        await job.Warehouse.GetAsync();
        await job.QuietAsync();
        job.Policy.Decide = _ => how == "is denied" ? AccessDecision.Deny("closed", "not today") : AccessDecision.Permit("all");
        using var gate = new Gate();
        job.Issuer.Gate = gate;
        job.Issuer.Answer = _ => throw new TokenExchangeException("NHI4003", ExchangeStage.Exchange, "The issuer is busy.");
        job.Time.Advance(how == "takes too long" ? new TimeSpan(0, 59, 30) : RefreshDue);
        await job.Warehouse.GetAsync();
        Task<JobReport>? ending = null;
        if (how != "is denied")
        {
            await gate.Reached;
            if (how == "takes too long")
                job.Time.Advance(TimeSpan.FromSeconds(25));   // of use until ten seconds before its end; a flight has sixty
            if (how == "fails while the job ends")
                ending = job.Session.CompleteAsync();
            await Eventually.HoldsAsync(() => job.Session.Leases.IsClosed == (ending is not null), "the begin of the end");
        }

        gate.Open();
        await job.QuietAsync();
        await (ending ?? Task.CompletedTask);

        AuditEvent failed = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed);
        Assert.That(log.Lines.Where(line => line.StartsWith("Refresh of", StringComparison.Ordinal)), Is.EqualTo(new[] { $"Refresh of warehouse failed ({code}, flight {failed.FlightId}); {held}" }));
    }

    [TestCase(true, true, 1)]
    [TestCase(true, false, 1)]
    [TestCase(false, true, 0)]
    [TestCase(false, false, 0)]
    public async Task What_is_permitted_by_observing_alone_is_said_once_wherever_it_is_recorded(bool isObserved, bool isRecordedInLog, int lines)
    {
        using var log = new LeveledLog(LogLevel.Trace);
        string rules = Policies.Text(1, Policies.Permit("lake", isObserved ? """{ "target": "lake" }""" : """{ "target": "warehouse" }"""));
        PolicyDocument document = PolicyDocument.Parse(isObserved ? rules.Replace("\"revision\"", "\"mode\": \"observe\", \"revision\"", StringComparison.Ordinal) : rules, "in-code.json");
        await using TestJob job = await TestJob.StartAsync(more: b => Recorded(b.Policy(document).Logging(log), isRecordedInLog));

        await job.Warehouse.GetAsync();

        AuditEvent permitted = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Permitted);
        Assert.That((permitted.IsObserved, permitted.Reason), Is.EqualTo((isObserved, isObserved ? "would deny: no rule permits it; nearest is 'lake': target expected 'lake', presented 'warehouse'" : null)));
        Assert.That(log.Lines.Count(line => line.Contains("only observes; rule default-deny would deny", StringComparison.Ordinal)), Is.EqualTo(lines));
    }

    [Test]
    public async Task What_fails_when_nobody_waits_for_it_any_more_is_said_by_its_type()
    {
        using var log = new LeveledLog(LogLevel.Trace);
        await using TestJob job = await TestJob.StartAsync(issuer => issuer.Gate = new Gate(), more: b => b.Logging(log));
        job.Issuer.Answer = _ => throw new InvalidOperationException("canary");
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await job.Issuer.Gate!.Reached;
        job.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.That(async () => await asking, Throws.TypeOf<TokenExchangeException>());

        job.Issuer.Gate.Open();
        await job.QuietAsync();
        await job.Session.CompleteAsync();

        Guid flight = job.Audit.Events.Single(e => e.Kind == AuditEventKind.Failed).FlightId;
        Assert.That(log.Lines, Has.Exactly(1).EqualTo($"An exchange of warehouse came to its end after nobody waited for it any more: InvalidOperationException (flight {flight})"));
    }

    private static void Recorded(TokenExchangeBuilder builder, bool inLog)
    {
        if (inLog)
            builder.AuditToLog();
    }
}
