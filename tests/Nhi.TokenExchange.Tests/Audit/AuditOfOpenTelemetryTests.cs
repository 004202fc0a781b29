using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Trace;

namespace Nhi.TokenExchange.Tests;

/// <summary>The audit as OpenTelemetry gets it through its own provider for <see cref="ILogger"/>: each event whole, by attributes, in its trace.</summary>
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class AuditOfOpenTelemetryTests : IDisposable
{
    private const string Ours = "nhi.audit.";

    private readonly List<LogRecord> _records = [];
    private readonly List<Activity> _activities = [];
    private readonly ILoggerFactory _log;
    private readonly TracerProvider _tracer;
    private LogLevel _least = LogLevel.Information;

    public AuditOfOpenTelemetryTests()
    {
        _log = LoggerFactory.Create(log => log.AddFilter<OpenTelemetryLoggerProvider>((_, level) => level >= _least).AddOpenTelemetry(o =>
        {
            o.IncludeFormattedMessage = true;
            o.AddInMemoryExporter(_records);
        }));
        _tracer = Sdk.CreateTracerProviderBuilder().AddSource("Nhi.TokenExchange").AddInMemoryExporter(_activities).Build();
    }

    public void Dispose()
    {
        _log.Dispose();
        _tracer.Dispose();
    }

    private static IEnumerable<AuditEvent> Events => [.. SampleEvents.All, SampleEvents.Full];

    [TestCaseSource(nameof(Events))]
    public async Task An_event_arrives_whole_and_can_be_made_of_its_attributes_again(AuditEvent told)
    {
        await new LoggerAuditSink(_log.CreateLogger("Nhi.TokenExchange")).WriteAsync(told, CancellationToken.None);

        LogRecord record = _records.Single();
        Assert.That(MadeOf(record).ToJsonString(), Is.EqualTo(JsonNode.Parse(EventText.Of(told))!["unmapped"]!.ToJsonString()));
        Assert.That(record.Body, Does.Contain(told.Kind is AuditEventKind.JobCutShort or AuditEventKind.CallerRefused ? "{Job}" : "{Target}"), "the line's template is the body, so lines of one kind can be found by it");
        Assert.That(record.FormattedMessage, Does.Contain("orders-nightly").And.Not.Contain(Ours), "the line itself stays as short as it was");
        Assert.That(record.EventId.Id, Is.InRange(101, 118));
    }

    [Test]
    public async Task No_attribute_is_more_than_a_text_whatever_the_event_says()
    {
        await new LoggerAuditSink(_log.CreateLogger("Nhi.TokenExchange")).WriteAsync(SampleEvents.With("a\r\nforged \u001b[2J\u202E\u200B\u0436"), CancellationToken.None);

        string[] said = [.. _records.Single().Attributes!.SelectMany(attribute => attribute.Value as IEnumerable<string> ?? [$"{attribute.Value}"])];
        Assert.That(said.Where(text => text.Any(c => c is < ' ' or > '~')), Is.Empty);
        Assert.That(said, Has.Some.Contains(@"a\u000d\u000aforged \u001b[2J\u202e\u200b\u0436"));
    }

    [Test]
    public async Task The_events_of_a_flight_stand_in_its_trace_and_in_the_span_of_their_stage_and_an_end_in_that_of_what_ended_it()
    {
        using var stopping = new Activity("stopping") { ActivityTraceFlags = ActivityTraceFlags.Recorded };
        await using (TestJob job = await StartAsync())
        {
            await job.Warehouse.GetAsync();
            await job.QuietAsync();
            stopping.Start();
            await job.Session.CompleteAsync();
        }
        stopping.Stop();

        ILookup<ActivitySpanId, string> spans = _activities.ToLookup(activity => activity.SpanId, activity => activity.OperationName);
        Assert.That(
            Audited().Select(record => $"{record.Attributes!.Single(one => one.Key == Ours + "kind").Value} in {spans[record.SpanId].SingleOrDefault()}"),
            Is.EqualTo(new[] { "Attested in nhi.attest", "Permitted in nhi.authorize", "Exchanging in nhi.record", "Issued in nhi.record", "Revoked in nhi.record" }));
        Activity flight = _activities.Single(activity => activity.OperationName == "nhi.flight");
        Assert.That(Audited().SkipLast(1).Select(record => record.TraceId), Is.All.EqualTo(flight.TraceId));
        Activity revoking = _activities.Single(activity => activity.OperationName == "nhi.revoke");
        Assert.That((Audited().Last().TraceId, _activities.Single(activity => activity.SpanId == Audited().Last().SpanId).ParentSpanId), Is.EqualTo((revoking.TraceId, revoking.SpanId)), "it is recorded beside the ending, and stands with it");
        Assert.That(revoking.TraceId, Is.EqualTo(stopping.TraceId), "that of who ended the job");
        Assert.That(Audited().Select(record => record.Attributes!.Single(one => one.Key == Ours + "flight").Value).Distinct(), Has.Exactly(1).Items, "what joins them beyond the traces");
    }

    [Test]
    public async Task What_the_level_of_its_provider_leaves_out_is_refused_and_nothing_is_handed_out()
    {
        _least = LogLevel.Warning;
        await using TestJob job = await StartAsync();

        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync())!;

        Assert.That((refused.Code, (refused.GetBaseException() as TokenExchangeException)?.Code), Is.EqualTo(("NHI6001", "NHI6014")));
        Assert.That(job.Issuer.Requests, Is.Empty);
        Assert.That(Audited().Select(record => record.EventId.Id), Is.EqualTo(new[] { 110 }), "of level Warning: the failure");
        _least = LogLevel.Information;
        job.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
    }

    private Task<TestJob> StartAsync() => TestJob.StartAsync(more: b => b.Logging(_log).AuditToLog());

    private IEnumerable<LogRecord> Audited() => _records.Where(record => record.EventId.Id is >= 101 and <= 117);

    // The object that the page of audit events describes, of attributes whose names are its paths.
    private static JsonObject MadeOf(LogRecord record)
    {
        var ours = new JsonObject();
        foreach ((string name, object? value) in record.Attributes!.Where(one => one.Key.StartsWith(Ours, StringComparison.Ordinal)))
        {
            string[] path = name[Ours.Length..].Split('.');
            JsonObject at = ours;
            foreach (string step in path[..^1])
                at = (JsonObject)(at[step] ??= new JsonObject());
            at[path[^1]] = value switch
            {
                string[] list => new JsonArray([.. list.Select(element => (JsonNode)element)]),
                bool flag => flag,
                long number => number,
                string text => text,
                _ => throw new AssertionException($"{name} is of a type that no exporter knows: {value}"),
            };
        }
        return ours;
    }
}
